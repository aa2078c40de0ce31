//! What happened to one query, as seen from outside.

use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{
    AttemptId, Digest, EpochMs, Failure, FunctionSize, InputBinding, Meter, Nonce, Output, OutputLocation, StageGraph,
    StageId, TaskId, TaskSpec,
};
use std::collections::{BTreeMap, BTreeSet};

/// A launched attempt and what became of it.
#[derive(Debug)]
pub(crate) struct Launch {
    pub attempt: AttemptId,
    pub size: FunctionSize,
    pub pin_digest: Digest,
    pub inputs: Vec<InputBinding>,
    /// Partitions that it was told to write.
    pub partitions: u32,
    pub launched: EpochMs,
    /// When its answer is no longer awaited.
    pub expires: EpochMs,
    pub answered: bool,
    pub expired: bool,
    /// Its first answer, if that was a failure; an expiry counts as a lost environment.
    pub failure: Option<Failure>,
    /// Whether that failure is held against its task: no report of the task had been delivered before.
    pub counts: bool,
}

impl Launch {
    pub fn new(spec: &TaskSpec, launched: EpochMs, expires: EpochMs) -> Launch {
        Launch {
            attempt: spec.attempt.clone(),
            size: spec.size,
            pin_digest: spec.pin_digest,
            inputs: spec.inputs.clone(),
            partitions: spec.output.partitions,
            launched,
            expires,
            answered: false,
            expired: false,
            failure: None,
            counts: false,
        }
    }

    pub fn is_open(&self) -> bool {
        !self.answered && !self.expired
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
    /// By task, in the order of their numbers.
    launches: BTreeMap<TaskId, Vec<Launch>>,
    pub prefixes: BTreeSet<String>,
    /// Transient failures that count.
    pub transient: usize,
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
            prefixes: BTreeSet::new(),
            transient: 0,
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

    pub fn launch(&mut self, launch: Launch) {
        self.launches.entry(launch.attempt.task).or_default().push(launch);
    }

    pub fn launches_of(&self, task: TaskId) -> &[Launch] {
        self.launches.get(&task).map_or(&[], Vec::as_slice)
    }

    /// All of them, in the order of their ids.
    pub fn launches(&self) -> impl Iterator<Item = &Launch> {
        self.launches.values().flatten()
    }

    pub fn launch_of(&self, attempt: &AttemptId) -> Option<&Launch> {
        let launch = self.launches_of(attempt.task).get(attempt.number as usize);
        launch.filter(|launch| launch.attempt == *attempt)
    }

    pub fn launch_mut(&mut self, attempt: &AttemptId) -> Option<&mut Launch> {
        let launch = self.launches.get_mut(&attempt.task)?.get_mut(attempt.number as usize);
        launch.filter(|launch| launch.attempt == *attempt)
    }

    pub fn published_by(&self, task: TaskId) -> &[Published] {
        self.published.get(&task).map_or(&[], Vec::as_slice)
    }

    /// The attempt has answered, whatever it said.
    pub fn answer(&mut self, attempt: &AttemptId) {
        if let Some(launch) = self.launch_mut(attempt) {
            launch.answered = true;
        }
    }

    /// Notes the first answer of an attempt, if it is a failure.
    pub fn note_failure(&mut self, attempt: &AttemptId, failure: Failure, now: EpochMs) {
        self.failed_at.get_or_insert(now);
        let counts = self.published_by(attempt.task).is_empty();
        let Some(launch) = self.launch_mut(attempt).filter(|launch| launch.is_open()) else {
            return;
        };
        let transient = matches!(failure, Failure::Transient { .. });
        launch.failure = Some(failure);
        launch.counts = counts;
        self.transient += usize::from(transient && counts);
    }

    /// Failures of a kind, over all attempts, expiries included.
    pub fn failures(&self, is: impl Fn(&Failure) -> bool) -> impl Iterator<Item = &Launch> {
        self.launches()
            .filter(move |launch| launch.failure.as_ref().is_some_and(&is))
    }
}
