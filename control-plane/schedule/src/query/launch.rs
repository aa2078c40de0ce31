//! Launches the next attempt: the spec is built when a slot is free, not before.

use super::Query;
use crate::Command;
use crate::attempt::{Attempt, Turn};
use crate::bind;
use crate::core::Core;
use crate::task::{Phase, TaskKey};
use crate::timers::Timer;
use mayfly_protocol::spec::PlanRef;
use mayfly_protocol::{EpochMs, ErrorCode, QueryError, TaskSpec, limits};
use std::time::Duration;

/// How an attempt is launched.
pub(super) struct Flight {
    pub is_copy: bool,
    pub turn: Turn,
    /// Its turn gives it less time than the task may have.
    pub is_cut: bool,
}

impl Query {
    /// Launches one ready task, if there is one, and lines up again if there are more.
    pub fn take_turn(&mut self, core: &mut Core, turn: Turn) -> Result<(), QueryError> {
        self.has_turn = false;
        if let Some(at) = self.ready.first().copied() {
            self.launch(core, at, turn)?;
        }
        self.wait_turn(core);
        Ok(())
    }

    fn launch(&mut self, core: &mut Core, at: TaskKey, turn: Turn) -> Result<(), QueryError> {
        let whole = self.task_deadline(core, at)?;
        let deadline = match turn {
            Turn::Short if !mutant!(ShortTurnUncut) => {
                whole.min(core.now + Duration::from_millis(core.settings.short_turn_ms))
            }
            _ => whole,
        };
        let spec = bind::spec(self, at, &core.settings, deadline)?;
        self.put_plan(core, at.stage);
        let flight = Flight {
            is_copy: false,
            turn,
            is_cut: deadline < whole,
        };
        self.fly(core, at, &spec, flight);
        core.counters.launched += 1;
        core.counters.short_turns += u64::from(turn == Turn::Short);
        core.commands.push_back(Command::Invoke {
            size: spec.size,
            spec: Box::new(spec),
        });
        self.watch(core, at.stage);
        Ok(())
    }

    /// A query that has less time left than an executor keeps in reserve cannot end well: it fails now, and nothing is spent on it.
    pub(super) fn task_deadline(&self, core: &Core, at: TaskKey) -> Result<EpochMs, QueryError> {
        if core.now + Duration::from_millis(limits::DEADLINE_MARGIN_MS) >= self.deadline {
            return Err(self.time_is_over());
        }
        let duration = Duration::from_millis(self.task_duration_ms(core, at));
        if mutant!(TaskOutlivesQuery) {
            return Ok(core.now + duration);
        }
        Ok(self.deadline.min(core.now + duration))
    }

    /// Four times as long for each attempt before that ran short of memory or out of time: joins that sort and merge take longer than
    /// those that hash, and what was not enough once would not be enough again.
    fn task_duration_ms(&self, core: &Core, at: TaskKey) -> u64 {
        let tries = &self.task(at).tries;
        let short = if mutant!(SameTimeAgain) {
            0
        } else {
            tries.timed_out + tries.short_of_memory
        };
        let duration_ms = core
            .settings
            .task_duration_ms
            .saturating_mul(4_u64.saturating_pow(short));
        duration_ms.min(limits::TASK_DURATION_MS_MAX)
    }

    pub fn time_is_over(&self) -> QueryError {
        let stages = self.stages.iter();
        let waiting = stages.filter(|stage| !stage.is_complete()).count();
        let text = format!(
            "the query exceeded its time limit with {waiting} of {} stages unfinished",
            self.stages.len()
        );
        QueryError::new(ErrorCode::ExceededTimeLimit, text)
    }

    fn put_plan(&mut self, core: &mut Core, stage: usize) {
        let stage = &mut self.stages[stage];
        if let (Some(plan), PlanRef::Object { key, .. }) = (stage.unsent_plan.take(), &stage.plan) {
            core.commands.push_back(Command::PutPlan {
                query: self.id.clone(),
                key: key.clone(),
                plan,
            });
        }
    }

    pub(super) fn fly(&mut self, core: &mut Core, at: TaskKey, spec: &TaskSpec, how: Flight) {
        let expires = spec.deadline + Duration::from_millis(core.settings.answer_grace_ms);
        self.enter(core, at, Phase::Running);
        let stage = &mut self.stages[at.stage];
        stage.attempts += 1;
        let flight = Attempt {
            number: spec.attempt.number,
            version: stage.version,
            pin: spec.pin_digest,
            size: spec.size,
            launched: core.now,
            input_bytes: bind::input_bytes(spec),
            is_copy: how.is_copy,
            turn: how.turn,
            is_cut: how.is_cut,
            time_ms: spec.deadline.since(core.now).as_millis() as u64,
            expires,
        };
        let task = &mut stage.tasks[at.task];
        task.number += u32::from(!mutant!(ReuseNumber));
        task.flights.push(flight);
        self.in_flight += 1;
        core.admission.begin(how.turn);
        if !mutant!(ForgetExpiry) {
            core.timers.set(expires, Timer::Expiry(spec.attempt.clone()));
        }
    }
}
