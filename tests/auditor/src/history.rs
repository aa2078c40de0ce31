//! What happened to one query, as seen from outside.

use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{
    AttemptId, EpochMs, Failure, Meter, Nonce, Output, OutputLocation, StageGraph, StageId, TaskId, TaskSpec,
};
use std::collections::{BTreeMap, BTreeSet};

/// A launched attempt and what became of it.
#[derive(Debug)]
pub(crate) struct Launch {
    pub spec: TaskSpec,
    pub launched: EpochMs,
    /// When its answer is no longer awaited.
    pub expires: EpochMs,
    pub answered: bool,
    pub expired: bool,
    /// Its first answer, if that was a failure; an expiry counts as a lost environment.
    pub failure: Option<Failure>,
}

impl Launch {
    pub fn is_open(&self) -> bool {
        !self.answered && !self.expired
    }

    /// The most that it can be billed when nothing is known of it.
    pub fn bound(&self) -> Meter {
        let billed_ms = self.expires.0 - self.launched.0;
        Meter {
            invocations: 1,
            billed_ms,
            billed_mb_ms: billed_ms * u64::from(self.spec.size.memory_mb()),
            bounded: 1,
            ..Meter::default()
        }
    }
}

/// An output of which a report was delivered.
#[derive(Debug)]
pub(crate) struct Published {
    pub attempt: AttemptId,
    pub nonce: Nonce,
    pub output: Output,
}

impl Published {
    pub fn key(&self) -> Option<&str> {
        object_key(&self.output)
    }
}

pub(crate) fn object_key(output: &Output) -> Option<&str> {
    match &output.location {
        OutputLocation::Object { key, .. } => Some(key),
        OutputLocation::Inline { .. } => None,
    }
}

#[derive(Debug)]
pub(crate) struct History {
    pub graph: StageGraph,
    pub epoch: u32,
    pub deadline: EpochMs,
    pub canceled: bool,
    pub outcome: Option<Outcome>,
    pub launches: BTreeMap<AttemptId, Launch>,
    pub published: BTreeMap<TaskId, Vec<Published>>,
    /// Keys of each producer that a reader found lost.
    pub lost: BTreeMap<TaskId, BTreeSet<String>>,
    pub discarded: BTreeSet<String>,
    /// Delivered before the end.
    pub delivered: BTreeMap<StageId, Meter>,
    /// Delivered or expired after the end, and not yet passed on.
    pub late: Vec<(AttemptId, Meter)>,
    /// When a report was last delivered.
    pub reported_at: Option<EpochMs>,
    /// When the first failure or expiry was seen.
    pub failed_at: Option<EpochMs>,
}

impl History {
    pub fn new(graph: StageGraph, epoch: u32, deadline: EpochMs) -> History {
        History {
            graph,
            epoch,
            deadline,
            canceled: false,
            outcome: None,
            launches: BTreeMap::new(),
            published: BTreeMap::new(),
            lost: BTreeMap::new(),
            discarded: BTreeSet::new(),
            delivered: BTreeMap::new(),
            late: Vec::new(),
            reported_at: None,
            failed_at: None,
        }
    }

    pub fn is_over(&self) -> bool {
        self.outcome.is_some()
    }

    pub fn launches_of(&self, task: TaskId) -> impl Iterator<Item = &Launch> {
        self.launches
            .values()
            .filter(move |launch| launch.spec.attempt.task == task)
    }

    pub fn published_by(&self, task: TaskId) -> &[Published] {
        self.published.get(&task).map_or(&[], Vec::as_slice)
    }

    /// Failures of a kind, over all attempts, expiries included.
    pub fn failures(&self, is: impl Fn(&Failure) -> bool) -> impl Iterator<Item = &Launch> {
        self.launches
            .values()
            .filter(move |launch| launch.failure.as_ref().is_some_and(&is))
    }
}
