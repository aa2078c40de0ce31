//! A copy for an attempt that straggles: the first report of the two wins, the other is garbage.
//!
//! A stage is watched by one timer, set to when its next attempt begins to straggle. Whatever happens to the stage may change when that is;
//! all its tasks are looked at again then, but not more often than it matters. Stragglers stand in line behind all first attempts of all
//! queries, and are judged again when a slot is theirs: until then most have answered.

use super::Query;
use super::launch::Flight;
use crate::Command;
use crate::attempt::{Attempt, Turn};
use crate::bind;
use crate::core::Core;
use crate::speculation::Speculation;
use crate::task::{Phase, Speculated, TaskKey};
use crate::timers::Timer;
use mayfly_protocol::{AttemptId, EpochMs, Meter, TaskSpec};
use std::time::Duration;

/// An attempt straggles after half a second at the earliest: so much later is soon enough.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Query {
    /// Something happened to the stage: looks at it, or will in a moment if it did a moment ago.
    pub(super) fn watch(&mut self, core: &mut Core, stage: usize) {
        let speculation = &self.stages[stage].speculation;
        let next = speculation.looked_at.map(|at| at + LOOK_EVERY);
        match next.filter(|next| core.now < *next) {
            None => self.look(core, stage),
            Some(next) if speculation.check_at.is_none_or(|at| at > next) => {
                self.unwatch(core, stage);
                self.check_at(core, stage, next);
            }
            Some(_) => {}
        }
    }

    /// Lines up the stage's stragglers, and sets the timer to the next one.
    pub fn look(&mut self, core: &mut Core, stage: usize) {
        self.unwatch(core, stage);
        self.stages[stage].speculation.looked_at = Some(core.now);
        let Some(rule) = core.settings.speculation.filter(|rule| self.may_copy(stage, rule)) else {
            return;
        };
        let tasks = (0..self.stages[stage].tasks.len()).map(|task| TaskKey { stage, task });
        let due = tasks.filter_map(|at| Some((self.straggles_at(at, &rule)?, at)));
        let mut due: Vec<(EpochMs, TaskKey)> = due.collect();
        due.sort_unstable();
        for (when, at) in due {
            if when > core.now {
                self.check_at(core, stage, when);
                return;
            }
            self.task_mut(at).speculated = Speculated::InLine;
            core.admission.wait_for_copy(self.id.clone(), at);
        }
    }

    fn check_at(&mut self, core: &mut Core, stage: usize, when: EpochMs) {
        self.stages[stage].speculation.check_at = Some(when);
        core.timers.set(when, Timer::Straggler(self.id.clone(), stage));
    }

    pub(super) fn unwatch(&mut self, core: &mut Core, stage: usize) {
        if let Some(at) = self.stages[stage].speculation.check_at.take() {
            core.timers.cancel(at, Timer::Straggler(self.id.clone(), stage));
        }
    }

    /// A slot is free that no first attempt wants.
    pub fn copy(&mut self, core: &mut Core, at: TaskKey) {
        let spec = self.leave_line(at).then(|| self.copy_spec(core, at)).flatten();
        match spec {
            Some(spec) => self.launch_copy(core, at, spec),
            None => core.counters.copies_moot += 1,
        }
    }

    /// False if the task stands in line no more: the place was taken before the query was lost and taken over again, or its tasks were
    /// formed anew.
    fn leave_line(&mut self, at: TaskKey) -> bool {
        let task = self
            .stages
            .get_mut(at.stage)
            .and_then(|stage| stage.tasks.get_mut(at.task));
        let Some(task) = task.filter(|task| task.speculated == Speculated::InLine) else {
            return false;
        };
        task.speculated = Speculated::No;
        true
    }

    /// A report won its task.
    pub(super) fn note_winner(&mut self, core: &mut Core, at: TaskKey, attempt: &AttemptId, flight: Option<&Attempt>) {
        let is_copy = self.is_copy(attempt);
        let speculation = &mut self.stages[at.stage].speculation;
        if let Some(flight) = flight {
            speculation.note(core.now.0 - flight.launched.0, flight.input_bytes);
        }
        if is_copy {
            speculation.won += 1;
            core.counters.copies_won += 1;
        }
    }

    /// The first attempt has failed: a copy of it, if there is one in flight, takes its place.
    pub(super) fn promote_copy(&mut self, core: &mut Core, at: TaskKey) -> bool {
        let version = self.stages[at.stage].version;
        let mut flights = self.task_mut(at).flights.iter_mut();
        let copy = flights.find(|flight| flight.version == version);
        let is_promoted = copy.map(|copy| copy.is_copy = false).is_some();
        core.counters.copies_promoted += u64::from(is_promoted);
        is_promoted
    }

    pub(super) fn meter_copy(&mut self, attempt: &AttemptId, meter: Meter) {
        if let Some(at) = self
            .task_key(attempt.task)
            .filter(|_| self.is_copy(attempt) && !mutant!(ForgetCopiesMeter))
        {
            self.stages[at.stage].speculation.meter += meter;
        }
    }

    /// What the stage's copies were billed, bounds included.
    pub(super) fn speculated(&self, stage: usize) -> Meter {
        let id = self.stages[stage].id();
        let of_stage = |attempt: &AttemptId| attempt.task.stage == id && self.is_copy(attempt);
        let bounds = self.bounds.iter().filter(|(attempt, _)| of_stage(attempt));
        let mut sum: Meter = bounds.map(|(_, bound)| *bound).sum();
        sum += self.stages[stage].speculation.meter;
        sum
    }

    fn is_copy(&self, attempt: &AttemptId) -> bool {
        let task = self.task_key(attempt.task).map(|at| self.task(at));
        attempt.epoch == self.epoch && task.is_some_and(|task| task.speculated == Speculated::As(attempt.number))
    }

    fn may_copy(&self, stage: usize, rule: &Speculation) -> bool {
        let stage = &self.stages[stage];
        mutant!(ManyCopies) || stage.speculation.copies < rule.copies_max(stage.tasks.len())
    }

    /// From when on the task's attempt straggles; none if it has none, or a copy already, or if that cannot be told yet.
    fn straggles_at(&self, at: TaskKey, rule: &Speculation) -> Option<EpochMs> {
        let (stage, task) = (&self.stages[at.stage], self.task(at));
        if task.phase != Phase::Running || (task.speculated != Speculated::No && !mutant!(SecondCopy)) {
            return None;
        }
        let flight = task.flights.iter().find(|flight| self.is_current(at, flight))?;
        let won = stage.count(Phase::Done) as usize;
        let tasks = stage.tasks.len();
        let patience_ms = stage.speculation.patience_ms(rule, tasks, won, flight.input_bytes)?;
        Some(flight.launched + Duration::from_millis(patience_ms.saturating_add(1)))
    }

    /// The copy's order, if there is still a reason for it, time and money.
    fn copy_spec(&self, core: &mut Core, at: TaskKey) -> Option<TaskSpec> {
        let rule = core.settings.speculation.filter(|rule| self.may_copy(at.stage, rule))?;
        let straggles = self.straggles_at(at, &rule).is_some_and(|when| when <= core.now);
        if !straggles && !mutant!(CopyUnseen) {
            return None;
        }
        if !self.can_afford(at, &rule) && !mutant!(DearCopies) {
            core.counters.copies_too_dear += 1;
            return None;
        }
        let deadline = self.task_deadline(core, at).ok()?;
        bind::spec(self, at, &core.settings, deadline).ok()
    }

    /// Copies are billed beside what they copy: nothing runs for less because of them.
    fn can_afford(&self, at: TaskKey, rule: &Speculation) -> bool {
        let billed = self.usage().total().billed_mb_ms;
        let copies = (0..self.stages.len()).map(|stage| self.speculated(stage).billed_mb_ms);
        let copies = copies.sum::<u64>() + self.reserved.values().sum::<u64>();
        copies + self.expected_mb_ms(at) <= rule.cost_mb_ms_max(billed)
    }

    fn expected_mb_ms(&self, at: TaskKey) -> u64 {
        let elapsed_ms = self.stages[at.stage].speculation.elapsed_ms_p75().unwrap_or(0);
        elapsed_ms * u64::from(self.task(at).size.memory_mb())
    }

    fn launch_copy(&mut self, core: &mut Core, at: TaskKey, spec: TaskSpec) {
        let expected = self.expected_mb_ms(at);
        if !mutant!(ForgetReserve) {
            self.reserved.insert(spec.attempt.clone(), expected);
        }
        self.task_mut(at).speculated = Speculated::As(spec.attempt.number);
        self.stages[at.stage].speculation.copies += 1;
        core.counters.copies += 1;
        let flight = Flight {
            is_copy: true,
            turn: Turn::Slot,
            is_cut: false,
        };
        self.fly(core, at, &spec, flight);
        core.commands.push_back(Command::Invoke {
            size: spec.size,
            spec: Box::new(spec),
        });
    }
}
