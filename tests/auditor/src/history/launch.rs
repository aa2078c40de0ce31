//! A launched attempt, and an output that was published.

use crate::copies::Copy;
use mayfly_protocol::{
    AttemptId, Digest, EpochMs, Failure, FunctionSize, Meter, Output, OutputLocation, TaskReport, TaskSpec,
};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

/// A launched attempt and what became of it.
#[derive(Debug)]
pub(crate) struct Launch {
    pub attempt: AttemptId,
    pub size: FunctionSize,
    pub pin_digest: Digest,
    pub spec: Rc<TaskSpec>,
    pub launched: EpochMs,
    /// When its answer is no longer awaited.
    pub expires: EpochMs,
    /// Its query's end leaves it no more time: which turn it has cannot be seen.
    pub until_end: bool,
    pub answered: bool,
    pub expired: bool,
    /// Its first answer, if that was a failure; an expiry counts as a lost environment.
    pub failure: Option<Failure>,
    /// Whether that failure is held against its task: no report of the task had been delivered before.
    pub counts: bool,
    /// What makes it a copy.
    pub copy: Option<Copy>,
    /// How long it took, if it was the first to report its task.
    pub won_after_ms: Option<u64>,
}

impl Launch {
    /// `end`: its query's deadline.
    pub fn new(spec: &Rc<TaskSpec>, launched: EpochMs, expires: EpochMs, end: EpochMs, copy: Option<Copy>) -> Launch {
        Launch {
            attempt: spec.attempt.clone(),
            size: spec.size,
            pin_digest: spec.pin_digest,
            spec: spec.clone(),
            launched,
            expires,
            until_end: spec.deadline == end,
            answered: false,
            expired: false,
            failure: None,
            counts: false,
            copy,
            won_after_ms: None,
        }
    }

    /// How long it may run.
    pub fn time_ms(&self) -> u64 {
        self.spec.deadline.0.saturating_sub(self.launched.0)
    }

    pub fn is_open(&self) -> bool {
        !self.answered && !self.expired
    }

    /// What it is on the bill with while nothing is known of it.
    pub fn owed_mb_ms(&self) -> u64 {
        if self.expired && !self.answered {
            self.bound().billed_mb_ms
        } else {
            0
        }
    }

    /// The most that it can be billed when nothing is known of it.
    pub fn bound(&self) -> Meter {
        let billed_ms = self.expires.0 - self.launched.0;
        Meter {
            invocations: 1,
            billed_ms,
            billed_mb_ms: billed_ms * u64::from(self.size.memory_mb()),
            bounded: 1,
            ..Meter::default()
        }
    }
}

/// An output, and the report that says so.
#[derive(Clone, Debug)]
pub(crate) struct Published(pub Rc<TaskReport>);

impl Deref for Published {
    type Target = TaskReport;

    fn deref(&self) -> &TaskReport {
        &self.0
    }
}

impl Published {
    pub fn key(&self) -> Option<&Arc<str>> {
        object_key(&self.output)
    }
}

pub(crate) fn object_key(output: &Output) -> Option<&Arc<str>> {
    match &output.location {
        OutputLocation::Object { key, .. } => Some(key),
        OutputLocation::Inline { .. } => None,
    }
}
