//! A query that runs: its stages, what is ready, what it used. Passes over it have a file each: `new` from a graph, `launch`,
//! `accept` a report, `fail` an attempt, `lose` a winner, `speculate`, `regroup` tasks, take an `alternative`, and `fleet`, which notices
//! that nothing answers. `ledger` holds what the journal is to be told, and `resume` takes over what it tells.

mod accept;
mod alternative;
mod fail;
mod fleet;
mod launch;
mod ledger;
mod lose;
mod new;
mod regroup;
mod resume;
mod speculate;

pub(crate) use ledger::Ledger;
pub(crate) use new::Submission;

use crate::attempt::Attempt;
use crate::bind;
use crate::core::Core;
use crate::stage::StageState;
use crate::task::{Phase, Task, TaskKey};
use crate::timers::Timer;
use crate::{Progress, QueryLimits, Usage};
use mayfly_protocol::{
    Alternative, AttemptId, EpochMs, Meter, Output, OutputLocation, QueryId, StageId, TaskId, TaskReport,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(crate) struct Query {
    pub id: QueryId,
    pub epoch: u32,
    pub deadline: EpochMs,
    pub limits: QueryLimits,
    /// DataFusion settings for every spec.
    pub settings: BTreeMap<String, String>,
    /// In the graph's order.
    pub stages: Vec<StageState>,
    /// Other plans that may still be taken.
    alternatives: Vec<Alternative>,
    positions: BTreeMap<StageId, usize>,
    /// Tasks in phase `Queued`.
    ready: BTreeSet<TaskKey>,
    /// Whether it stands in line for a slot.
    has_turn: bool,
    /// Attempts in flight.
    in_flight: u32,
    /// It ran out of a short turn, and has no other.
    is_long: bool,
    /// Delivered meters, without bounds.
    metered: Usage,
    /// Attempts that never answered, at their bounds; an answer after all replaces its bound.
    bounds: BTreeMap<AttemptId, Meter>,
    /// Found on resume, and may count once their inputs are there again. Producers before consumers.
    kept: Vec<TaskReport>,
    /// What copies in flight are expected to be billed, in MB·ms.
    reserved: BTreeMap<AttemptId, u64>,
    retries: u32,
    retries_max: u32,
    failing_since: Option<EpochMs>,
    /// Class of the latest failure that let the fleet look dead.
    last_failure: &'static str,
    ledger: Ledger,
    /// Objects that lost: they are deleted when the end is durable.
    garbage: Vec<(AttemptId, Output)>,
}

impl Query {
    pub fn task_key(&self, id: TaskId) -> Option<TaskKey> {
        let stage = *self.positions.get(&id.stage)?;
        let task = id.index as usize;
        (task < self.stages[stage].tasks.len()).then_some(TaskKey { stage, task })
    }

    pub fn task_id(&self, at: TaskKey) -> TaskId {
        TaskId {
            stage: self.stages[at.stage].id(),
            index: u32::try_from(at.task).expect("tasks are numbered by u32"),
        }
    }

    /// Id of the attempt that would be launched next.
    pub fn next_attempt(&self, at: TaskKey) -> AttemptId {
        self.attempt(at, self.task(at).number)
    }

    /// Sums over all attempts so far, bounds included.
    pub fn usage(&self) -> Usage {
        let mut usage = self.metered.clone();
        for (attempt, bound) in &self.bounds {
            usage.add(attempt.task.stage, *bound);
        }
        usage
    }

    pub fn progress(&self) -> Progress {
        let usage = self.usage();
        let run = self.stages.iter().enumerate().filter(|(_, stage)| !stage.is_dropped);
        let stages = run.map(|(at, stage)| {
            let inputs = stage.inputs.iter().map(|input| self.stages[*input].id()).collect();
            let meter = usage.stages.get(&stage.id()).copied().unwrap_or_default();
            stage.progress(inputs, meter, self.speculated(at))
        });
        Progress {
            stages: stages.collect(),
        }
    }

    /// Attempts in flight, by id.
    pub fn flights(&self) -> impl Iterator<Item = (AttemptId, &Attempt)> {
        let keys = self
            .stages
            .iter()
            .enumerate()
            .flat_map(|(stage, state)| (0..state.tasks.len()).map(move |task| TaskKey { stage, task }));
        keys.flat_map(move |at| {
            let flights = self.task(at).flights.iter();
            flights.map(move |flight| (self.attempt(at, flight.number), flight))
        })
    }

    /// Takes back every timer but those of attempts in flight.
    pub fn cancel_timers(&mut self, core: &mut Core) {
        core.timers.cancel(self.deadline, Timer::Deadline(self.id.clone()));
        self.cancel_fleet_timer(core);
        (0..self.stages.len()).for_each(|stage| self.unwatch(core, stage));
        for (stage, state) in self.stages.iter().enumerate() {
            for (task, one) in state.tasks.iter().enumerate() {
                if let Some(at) = one.retry_at {
                    let key = TaskKey { stage, task };
                    core.timers.cancel(at, Timer::Retry(self.id.clone(), key));
                }
            }
        }
    }

    fn task(&self, at: TaskKey) -> &Task {
        &self.stages[at.stage].tasks[at.task]
    }

    fn task_mut(&mut self, at: TaskKey) -> &mut Task {
        &mut self.stages[at.stage].tasks[at.task]
    }

    fn attempt(&self, at: TaskKey, number: u32) -> AttemptId {
        AttemptId {
            query: self.id.clone(),
            task: self.task_id(at),
            epoch: self.epoch,
            number,
        }
    }

    fn is_open(&self, stage: usize) -> bool {
        let inputs = &self.stages[stage].inputs;
        inputs
            .iter()
            .all(|input| self.stages[*input].is_complete() || mutant!(OpenEarly))
    }

    /// Whether the stage should wait for one that it does not read.
    fn is_held(&self, stage: usize) -> bool {
        let after = self.stages[stage]
            .planned
            .after
            .and_then(|after| self.positions.get(&after));
        !mutant!(IgnoreHold) && after.is_some_and(|after| !self.stages[*after].is_complete())
    }

    /// Moves a task to a phase, and keeps `ready` and the retry timers true to it.
    fn enter(&mut self, core: &mut Core, at: TaskKey, phase: Phase) {
        match self.task(at).phase {
            Phase::Queued => {
                self.ready.remove(&at);
            }
            Phase::Waiting => {
                if let Some(when) = self.task_mut(at).retry_at.take() {
                    core.timers.cancel(when, Timer::Retry(self.id.clone(), at));
                }
            }
            Phase::Planned | Phase::Running | Phase::Done | Phase::Skipped => {}
        }
        self.stages[at.stage].set_phase(at.task, phase);
        if phase == Phase::Queued {
            self.ready.insert(at);
            self.wait_turn(core);
        }
    }

    /// Whether its next task may run beside the slots: nothing else of the query runs, and nothing says that it takes long.
    pub fn may_take_short_turn(&self) -> bool {
        let is_quick = |at: &TaskKey| {
            let tries = &self.task(*at).tries;
            tries.timed_out + tries.short_of_memory == 0
        };
        let is_long = self.is_long && !mutant!(ShortTurnAgain);
        !is_long && self.in_flight == 0 && self.ready.first().is_some_and(is_quick)
    }

    fn wait_turn(&mut self, core: &mut Core) {
        if !self.has_turn && !self.ready.is_empty() {
            self.has_turn = true;
            core.admission.wait_turn(self.id.clone());
        }
    }

    /// Queues what waited for the stage's inputs, if all of them are complete.
    fn open(&mut self, core: &mut Core, stage: usize) {
        if !self.is_open(stage) || self.is_held(stage) {
            return;
        }
        self.regroup(core, stage);
        for task in 0..self.stages[stage].opened {
            let at = TaskKey { stage, task };
            if self.task(at).phase == Phase::Planned {
                let phase = self.adopt(core, at);
                self.enter(core, at, phase);
            }
        }
    }

    /// An input that was made again can have come out where it was (its slices empty, or inline with equal content). What was
    /// pinned to it is current again and need not be repeated.
    fn adopt(&mut self, core: &mut Core, at: TaskKey) -> Phase {
        if self.task(at).flights.is_empty() || mutant!(AdoptNothing) {
            return Phase::Queued;
        }
        let pin = bind::pin(self, at);
        let version = self.stages[at.stage].version;
        let flights = self.task_mut(at).flights.iter_mut();
        let mut adopted: Vec<&mut Attempt> = flights
            .filter(|flight| flight.pin == pin || mutant!(AdoptAnything))
            .collect();
        adopted.iter_mut().for_each(|flight| flight.version = version);
        core.counters.adopted += adopted.len() as u64;
        if adopted.iter().all(|flight| flight.is_copy)
            && let Some(copy) = adopted.first_mut()
        {
            copy.is_copy = false;
        }
        if adopted.is_empty() {
            Phase::Queued
        } else {
            Phase::Running
        }
    }

    fn meter(&mut self, attempt: &AttemptId, meter: Meter) {
        if !mutant!(KeepBound) {
            self.bounds.remove(attempt);
        }
        self.meter_copy(attempt, meter);
        self.metered.add(attempt.task.stage, meter);
    }

    /// Takes an attempt out of the air; none if it is not there (a duplicate, or given up before).
    fn land(&mut self, core: &mut Core, attempt: &AttemptId) -> Option<(TaskKey, Attempt)> {
        let at = self.task_key(attempt.task)?;
        if attempt.epoch != self.epoch {
            return None;
        }
        let flights = &mut self.task_mut(at).flights;
        let place = flights.iter().position(|flight| flight.number == attempt.number)?;
        let flight = flights.swap_remove(place);
        self.reserved.remove(attempt);
        core.admission.end(flight.turn);
        self.in_flight -= 1;
        core.timers.cancel(flight.expires, Timer::Expiry(attempt.clone()));
        Some((at, flight))
    }

    fn is_current(&self, at: TaskKey, flight: &Attempt) -> bool {
        flight.version == self.stages[at.stage].version
    }

    /// A losing object is deleted at the end; inline outputs leave nothing behind.
    fn discard(&mut self, core: &mut Core, attempt: AttemptId, mut output: Output) {
        if matches!(output.location, OutputLocation::Object { .. }) {
            core.counters.discarded += 1;
            output.partitions = Vec::new();
            self.garbage.push((attempt, output));
        }
    }

    /// What may be deleted once the end is durable.
    pub fn take_garbage(&mut self) -> Vec<(AttemptId, Output)> {
        std::mem::take(&mut self.garbage)
    }
}
