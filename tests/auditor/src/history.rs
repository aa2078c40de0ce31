//! What happened to one query, as seen from outside.

mod failures;
mod launch;

pub(crate) use launch::{Launch, Published, object_key};

use crate::again::Again;
use crate::auditor::Bounds;
use crate::by_task::ByTask;
use crate::chronicle::Inheritance;
use crate::risk::Risk;
use crate::standing::Standing;
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{AttemptId, EpochMs, Meter, StageGraph, StageId, TaskId, TaskSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct History {
    pub bounds: Bounds,
    /// Its coordinator never stood still since it has the query: all that it heard is known in its order.
    pub is_ordered: bool,
    /// It began here, too.
    pub is_whole: bool,
    /// Tasks of which a report was delivered here, of whatever epoch.
    pub heard: BTreeSet<TaskId>,
    pub submitted_at: EpochMs,
    /// What the failures of each task that was launched call for.
    pub again: ByTask<Again>,
    /// How many tasks of each stage have reported, and when the latest of them first did.
    reported: BTreeMap<StageId, (usize, EpochMs)>,
    pub risk: Risk,
    /// It ran out of a short turn.
    pub is_long: bool,
    /// The first failure since the last sign of life.
    pub failing_since: Option<EpochMs>,
    /// Its final record is there, and this coordinator wrote it.
    pub is_durable: bool,
    /// Objects of reports that were delivered, by task, and those that were passed on after the end.
    pub owed: ByTask<BTreeSet<Arc<str>>>,
    pub passed_on: BTreeSet<Arc<str>>,
    /// Objects of tasks' first reports, before the end, and not reported again after it.
    pub first: BTreeSet<Arc<str>>,
    pub graph: Rc<StageGraph>,
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
    launches: ByTask<Vec<Launch>>,
    /// Under which attempts write, by hash: one false alarm in 2⁵⁰ seeds.
    pub prefixes: BTreeSet<u64>,
    /// Transient failures that count.
    pub transient: usize,
    published: ByTask<Vec<Published>>,
    /// Keys of each producer that a reader found lost.
    pub lost: BTreeMap<TaskId, BTreeSet<String>>,
    /// Of those, what is read no more, and who won each task.
    pub gone: BTreeSet<String>,
    pub standing: ByTask<Standing>,
    pub discarded: BTreeSet<Arc<str>>,
    /// Objects of reports that are no answers.
    pub malformed: BTreeSet<Arc<str>>,
    /// Delivered before the end.
    pub delivered: BTreeMap<StageId, Meter>,
    /// Delivered or expired after the end, and not yet passed on.
    pub late: Vec<(AttemptId, Meter)>,
    /// Stages of which a task was first heard from an attempt of an earlier coordinator: nobody knows whether that won.
    pub unsure: BTreeSet<StageId>,
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
    pub fn new(graph: Rc<StageGraph>, epoch: u32, deadline: EpochMs, bounds: &Bounds) -> History {
        let share = (graph.tasks() * bounds.retries_percent as usize).div_ceil(100);
        History {
            bounds: *bounds,
            is_ordered: false,
            is_whole: false,
            heard: BTreeSet::new(),
            submitted_at: EpochMs(0),
            again: ByTask::default(),
            reported: BTreeMap::new(),
            risk: Risk::default(),
            is_long: false,
            failing_since: None,
            is_durable: false,
            owed: ByTask::default(),
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
            launches: ByTask::default(),
            prefixes: BTreeSet::new(),
            transient: 0,
            published: ByTask::default(),
            lost: BTreeMap::new(),
            gone: BTreeSet::new(),
            standing: ByTask::default(),
            discarded: BTreeSet::new(),
            malformed: BTreeSet::new(),
            delivered: BTreeMap::new(),
            late: Vec::new(),
            unsure: BTreeSet::new(),
            reported_at: None,
            failed_at: None,
        }
    }

    /// What others have done before counts, as far as it can be read.
    pub fn resumed(past: Inheritance, strays: Vec<Launch>, bounds: &Bounds) -> History {
        let mut history = History::new(past.graph, past.epoch, past.deadline, bounds);
        let specs = past.specs.into_iter();
        history.inherited = specs.map(|spec| (spec.attempt.clone(), spec)).collect();
        past.published
            .into_iter()
            .for_each(|published| history.publish(published));
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
        self.is_ordered && self.lost.is_empty()
    }

    /// The same, of one task: it was wanted all the time.
    pub fn tells_failures(&self, task: TaskId) -> bool {
        let stage = self.graph.stage(task.stage);
        self.is_plain() && stage.is_some_and(|stage| stage.enough_rows.is_none())
    }

    pub fn launch(&mut self, launch: Launch) {
        let again = self.again.entry(launch.attempt.task);
        again.get_or_insert_with(|| Again::new(&launch, &self.bounds));
        let launches = self.launches.entry(launch.attempt.task);
        launches.get_or_insert_default().push(launch);
    }

    /// A report was delivered, or an earlier coordinator may have won with it.
    pub fn publish(&mut self, published: Published) {
        let outputs = self.published.entry(published.attempt.task);
        outputs.get_or_insert_default().push(published);
    }

    pub fn launches_of(&self, task: TaskId) -> &[Launch] {
        self.launches.get(task).map_or(&[], Vec::as_slice)
    }

    pub fn launches_in(&self, stage: StageId) -> impl Iterator<Item = &Launch> {
        self.launches.in_stage(stage).flatten()
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
        let launch = self.launches.get_mut(attempt.task)?.get_mut(attempt.number as usize);
        launch.filter(|launch| launch.attempt == *attempt)
    }

    /// Whether an attempt of this epoch has reported the task.
    pub fn has_reported(&self, task: TaskId) -> bool {
        let published = self.published_by(task).iter();
        published.into_iter().any(|other| other.attempt.epoch == self.epoch)
    }

    pub fn published_by(&self, task: TaskId) -> &[Published] {
        self.published.get(task).map_or(&[], Vec::as_slice)
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

    /// The attempt has answered, whatever it said.
    pub fn answer(&mut self, attempt: &AttemptId) {
        if let Some(launch) = self.launch_mut(attempt) {
            launch.answered = true;
        }
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
}
