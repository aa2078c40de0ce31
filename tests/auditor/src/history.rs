//! What happened to one query, as seen from outside.

use crate::again::{self, Again};
use crate::auditor::Bounds;
use crate::chronicle::Inheritance;
use crate::copies::Copy;
use crate::risk::Risk;
use crate::standing::Standing;
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{
    AttemptId, Digest, EpochMs, Failure, FunctionSize, Meter, Nonce, Output, OutputLocation, StageGraph, StageId,
    TaskId, TaskSpec,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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
    pub fn new(spec: &Rc<TaskSpec>, launched: EpochMs, expires: EpochMs, copy: Option<Copy>) -> Launch {
        Launch {
            attempt: spec.attempt.clone(),
            size: spec.size,
            pin_digest: spec.pin_digest,
            spec: spec.clone(),
            launched,
            expires,
            answered: false,
            expired: false,
            failure: None,
            counts: false,
            copy,
            won_after_ms: None,
        }
    }

    pub fn is_open(&self) -> bool {
        !self.answered && !self.expired
    }

    /// Whether it is on the bill with all that it can have cost.
    pub fn owes_bound(&self) -> bool {
        self.expired && !self.answered
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
#[derive(Clone, Debug)]
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
    pub bounds: Bounds,
    /// It began here, and its coordinator never stood still: all of it was seen, in its order.
    pub is_whole: bool,
    pub submitted_at: EpochMs,
    /// What the failures of each task that was launched call for.
    pub again: BTreeMap<TaskId, Again>,
    /// How many tasks of each stage have reported, and when the latest of them first did.
    reported: BTreeMap<StageId, (usize, EpochMs)>,
    pub risk: Risk,
    /// The first failure since the last sign of life.
    pub failing_since: Option<EpochMs>,
    /// Its final record is there, and this coordinator wrote it.
    pub is_durable: bool,
    /// Objects of reports that were delivered, by task, and those that were passed on after the end.
    pub owed: BTreeMap<TaskId, BTreeSet<String>>,
    pub passed_on: BTreeSet<String>,
    /// Objects of tasks' first reports, before the end, and not reported again after it.
    pub first: BTreeSet<String>,
    pub graph: StageGraph,
    pub epoch: u32,
    pub deadline: EpochMs,
    /// The deadline, or when its coordinator first saw that it had passed.
    pub may_end_until: EpochMs,
    pub canceled: bool,
    pub outcome: Option<Outcome>,
    /// Another coordinator owns it.
    pub fenced: bool,
    /// Transient failures that it may have.
    pub retries_max: usize,
    /// By task, in the order of their numbers.
    launches: BTreeMap<TaskId, Vec<Launch>>,
    pub prefixes: BTreeSet<String>,
    /// Transient failures that count.
    pub transient: usize,
    pub published: BTreeMap<TaskId, Vec<Published>>,
    /// Keys of each producer that a reader found lost.
    pub lost: BTreeMap<TaskId, BTreeSet<String>>,
    /// Of those, what is read no more, and who won each task.
    pub gone: BTreeSet<String>,
    pub standing: BTreeMap<TaskId, Standing>,
    pub discarded: BTreeSet<String>,
    /// Objects of reports that are no answers.
    pub malformed: BTreeSet<String>,
    /// Delivered before the end.
    pub delivered: BTreeMap<StageId, Meter>,
    /// Delivered or expired after the end, and not yet passed on.
    pub late: Vec<(AttemptId, Meter)>,
    /// When a report was last delivered.
    pub reported_at: Option<EpochMs>,
    /// When the first failure or expiry was seen.
    pub failed_at: Option<EpochMs>,
    /// Of a resumed query: what other epochs launched, of which ones this coordinator still awaits an answer, the tasks whose
    /// winners the journal holds, and how often it says that a winner was lost.
    inherited: BTreeMap<AttemptId, Rc<TaskSpec>>,
    strays: Vec<Launch>,
    pub durable: BTreeSet<TaskId>,
    losses_before: BTreeMap<TaskId, usize>,
    /// Too many starts got nowhere: all that it may do is end.
    pub is_exhausted: bool,
}

impl History {
    pub fn new(graph: StageGraph, epoch: u32, deadline: EpochMs, bounds: &Bounds) -> History {
        let share = (graph.tasks() * bounds.retries_percent as usize).div_ceil(100);
        History {
            bounds: *bounds,
            is_whole: false,
            submitted_at: EpochMs(0),
            again: BTreeMap::new(),
            reported: BTreeMap::new(),
            risk: Risk::default(),
            failing_since: None,
            is_durable: false,
            owed: BTreeMap::new(),
            passed_on: BTreeSet::new(),
            first: BTreeSet::new(),
            retries_max: share.max(bounds.retries_min as usize),
            fenced: false,
            inherited: BTreeMap::new(),
            strays: Vec::new(),
            durable: BTreeSet::new(),
            losses_before: BTreeMap::new(),
            is_exhausted: false,
            graph,
            epoch,
            deadline,
            may_end_until: deadline,
            canceled: false,
            outcome: None,
            launches: BTreeMap::new(),
            prefixes: BTreeSet::new(),
            transient: 0,
            published: BTreeMap::new(),
            lost: BTreeMap::new(),
            gone: BTreeSet::new(),
            standing: BTreeMap::new(),
            discarded: BTreeSet::new(),
            malformed: BTreeSet::new(),
            delivered: BTreeMap::new(),
            late: Vec::new(),
            reported_at: None,
            failed_at: None,
        }
    }

    /// What others have done before counts, as far as it can be read.
    pub fn resumed(past: Inheritance, strays: Vec<Launch>, bounds: &Bounds) -> History {
        let mut history = History::new(past.graph, past.epoch, past.deadline, bounds);
        let specs = past.specs.into_iter();
        history.inherited = specs.map(|spec| (spec.attempt.clone(), spec)).collect();
        for published in past.published {
            let task = published.attempt.task;
            history.published.entry(task).or_default().push(published);
        }
        history.durable = past.durable;
        history.losses_before = past.losses;
        history.is_exhausted = past.is_exhausted;
        history.strays = strays;
        history
    }

    /// Attempts that are still awaited when the query is resumed under another epoch.
    pub fn into_strays(self) -> Vec<Launch> {
        let launches = self.launches.into_values().flatten().chain(self.strays);
        launches.filter(Launch::is_open).collect()
    }

    /// Whether no more may happen.
    pub fn is_over(&self) -> bool {
        self.outcome.is_some() || self.fenced
    }

    /// Whether it is known which answers won and which failures count: nothing was lost.
    pub fn is_plain(&self) -> bool {
        self.is_whole && self.lost.is_empty()
    }

    /// The same, of one task: it was wanted all the time.
    pub fn tells_failures(&self, task: TaskId) -> bool {
        let stage = self.graph.stage(task.stage);
        self.is_plain() && stage.is_some_and(|stage| stage.enough_rows.is_none())
    }

    pub fn launch(&mut self, launch: Launch) {
        let again = self.again.entry(launch.attempt.task);
        again.or_insert_with(|| Again::new(launch.size));
        self.launches.entry(launch.attempt.task).or_default().push(launch);
    }

    pub fn launches_of(&self, task: TaskId) -> &[Launch] {
        self.launches.get(&task).map_or(&[], Vec::as_slice)
    }

    pub fn launches_in(&self, stage: StageId) -> impl Iterator<Item = &Launch> {
        let (first, last) = (TaskId { stage, index: 0 }, TaskId { stage, index: u32::MAX });
        self.launches.range(first..=last).flat_map(|(_, launches)| launches)
    }

    /// All of them, in the order of their ids.
    pub fn launches(&self) -> impl Iterator<Item = &Launch> {
        self.launches.values().flatten()
    }

    /// All that can be on this coordinator's bill.
    pub fn billed(&self) -> impl Iterator<Item = &Launch> {
        self.launches().chain(&self.strays)
    }

    /// What an attempt of any epoch was told to do.
    pub fn spec_of(&self, attempt: &AttemptId) -> Option<&Rc<TaskSpec>> {
        let launch = self.launches_of(attempt.task).get(attempt.number as usize);
        let own = launch
            .filter(|launch| launch.attempt == *attempt)
            .map(|launch| &launch.spec);
        own.or_else(|| self.inherited.get(attempt))
    }

    pub fn launch_mut(&mut self, attempt: &AttemptId) -> Option<&mut Launch> {
        if attempt.epoch != self.epoch {
            return self.strays.iter_mut().find(|launch| launch.attempt == *attempt);
        }
        let launch = self.launches.get_mut(&attempt.task)?.get_mut(attempt.number as usize);
        launch.filter(|launch| launch.attempt == *attempt)
    }

    /// Whether an attempt of this epoch has reported the task.
    pub fn has_reported(&self, task: TaskId) -> bool {
        let published = self.published_by(task).iter();
        published.into_iter().any(|other| other.attempt.epoch == self.epoch)
    }

    pub fn published_by(&self, task: TaskId) -> &[Published] {
        self.published.get(&task).map_or(&[], Vec::as_slice)
    }

    /// Whether the task's stage may have all the rows that are wanted without it.
    pub fn is_needless(&self, task: TaskId) -> bool {
        let Some((stage, enough)) = self
            .graph
            .stage(task.stage)
            .and_then(|stage| Some((stage, stage.enough_rows?)))
        else {
            return false;
        };
        let others = (0..stage.tasks.len() as u32).filter(|index| *index != task.index);
        let most = |index: u32| {
            let published = self.published_by(TaskId { index, ..task }).iter();
            published.map(|published| published.output.rows()).max().unwrap_or(0)
        };
        others.map(most).sum::<u64>() >= enough
    }

    /// A reader has found an output of the producer lost. Whoever was launched before the producer's latest attempt, or by another epoch,
    /// was given what may be the winner no more.
    pub fn lose(&mut self, reader: &AttemptId, producer: TaskId, key: &str) {
        let lost = self.lost.entry(producer).or_default();
        let launched = |task: TaskId| self.launches.get(&task).and_then(|launches| launches.last());
        let made = launched(producer).map(|launch| launch.launched);
        let reader = self.launches.get(&reader.task).and_then(|launches| {
            let launch = launches.get(reader.number as usize)?;
            (launch.attempt == *reader).then_some(launch.launched)
        });
        if reader.is_some_and(|reader| made.is_none_or(|made| made < reader)) {
            lost.insert(key.to_owned());
        }
    }

    /// How often the task's output was lost, as far as it must be known.
    pub fn losses_of(&self, task: TaskId) -> usize {
        let before = self.losses_before.get(&task).copied().unwrap_or(0);
        before + self.lost.get(&task).map_or(0, BTreeSet::len)
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
        let is_moot = self.has_reported(attempt.task) || self.is_needless(attempt.task);
        let counts = attempt.epoch == self.epoch && !is_moot && !self.is_beside(attempt);
        let Some(launch) = self.launch_mut(attempt).filter(|launch| launch.is_open()) else {
            return;
        };
        let transient = matches!(failure, Failure::Transient { .. });
        launch.failure = Some(failure.clone());
        launch.counts = counts;
        let size = launch.size;
        self.transient += usize::from(transient && counts);
        if counts {
            let times = again::times(self.launches_of(attempt.task), &failure);
            let backoff_ms = (self.bounds.backoff_ms, self.bounds.idle_ms_max);
            let again = self.again.get_mut(&attempt.task);
            let again = again.expect("what is in flight was launched");
            again.note(now, &failure, size, times, backoff_ms);
        }
    }

    /// A copy beside the attempt that it is one of. When that has failed, the copy is the task's only attempt.
    fn is_beside(&self, attempt: &AttemptId) -> bool {
        let launches = self.launches_of(attempt.task);
        let copy = launches
            .get(attempt.number as usize)
            .and_then(|launch| launch.copy.as_ref());
        copy.is_some_and(|copy| launches[copy.of as usize].is_open())
    }

    /// A report of the task was delivered, which is its first.
    pub fn note_first_report(&mut self, attempt: &AttemptId, now: EpochMs) {
        let reported = self.reported.entry(attempt.task.stage).or_insert((0, now));
        *reported = (reported.0 + 1, now);
        if let Some(launch) = self.launch_mut(attempt).filter(|launch| launch.is_open()) {
            launch.won_after_ms = Some(now.0 - launch.launched.0);
        }
    }

    /// When the last of the stage's tasks reported; none while one has not.
    pub fn complete_at(&self, stage: StageId) -> Option<EpochMs> {
        let tasks = self.graph.stage(stage)?.tasks.len();
        let (count, at) = self.reported.get(&stage)?;
        (*count == tasks).then_some(*at)
    }

    /// Failures of a kind, over all attempts, expiries included.
    pub fn failures(&self, is: impl Fn(&Failure) -> bool) -> impl Iterator<Item = &Launch> {
        self.launches()
            .filter(move |launch| launch.failure.as_ref().is_some_and(&is))
    }
}
