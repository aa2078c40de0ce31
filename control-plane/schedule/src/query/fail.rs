//! An attempt failed, or never answered. Only failures of current attempts are held against their task.

use super::Query;
use crate::attempt::Attempt;
use crate::core::Core;
use crate::retry::{self, Case, Verdict};
use crate::task::{Phase, TaskKey};
use crate::timers::Timer;
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{AttemptId, Failure, Meter};
use std::time::Duration;

impl Query {
    pub fn fail(&mut self, core: &mut Core, attempt: &AttemptId, failure: &Failure, meter: Meter) -> Option<Outcome> {
        self.meter(attempt, meter);
        match self.land(core, attempt) {
            Some((at, flight)) => self.fall(core, at, &flight, failure),
            None => {
                core.counters.moot_failures += 1;
                None
            }
        }
    }

    /// The answer did not come. It is billed at its bound until it comes after all.
    pub fn expire(&mut self, core: &mut Core, attempt: &AttemptId) -> Option<Outcome> {
        let (at, flight) = self.land(core, attempt)?;
        core.counters.expired += 1;
        if !mutant!(ForgetBound) {
            self.bill_bound(attempt, &flight);
        }
        let message = "no answer came".to_owned();
        self.fall(core, at, &flight, &Failure::EnvironmentLost { message })
    }

    /// Of an attempt that did not answer, perhaps one of an earlier epoch.
    pub fn bill_bound(&mut self, attempt: &AttemptId, flight: &Attempt) {
        self.bounds.insert(attempt.clone(), flight.bound());
    }

    /// The backoff of a task has passed.
    pub fn retry(&mut self, core: &mut Core, at: TaskKey) {
        if self.task(at).phase == Phase::Waiting {
            self.enter(core, at, Phase::Queued);
        }
    }

    fn fall(&mut self, core: &mut Core, at: TaskKey, flight: &Attempt, failure: &Failure) -> Option<Outcome> {
        self.stages[at.stage].failed_attempts += 1;
        match failure {
            Failure::Throttled { .. } => core.admission.throttled(core.now, flight.launched),
            // Says nothing of how many may run.
            Failure::Unreachable { .. } => {}
            _ => core.admission.answered(),
        }
        let is_over = flight.is_cut && matches!(failure, Failure::TimedOut { .. });
        self.is_long |= is_over;
        core.counters.short_turns_over += u64::from(is_over);
        let dead = self.note_failure(core, failure);
        let verdict = self.judge_failure(core, at, flight, failure);
        verdict.or_else(|| dead.map(|error| Outcome::Failed { error }))
    }

    pub(super) fn judge_failure(
        &mut self,
        core: &mut Core,
        at: TaskKey,
        flight: &Attempt,
        failure: &Failure,
    ) -> Option<Outcome> {
        let current = self.is_current(at, flight);
        if matches!(self.task(at).phase, Phase::Done | Phase::Skipped) && !mutant!(CountFailuresAfterWin) {
            core.counters.moot_failures += 1;
            return None;
        }
        if let Failure::InputLost { producer, key, .. } = failure
            && !mutant!(BlameReader)
            && let Some(lost) = self.lost_producer(at, *producer, key, current)
        {
            return self.lose(core, lost, failure);
        }
        if !current && !mutant!(CountStaleFailures) {
            core.counters.moot_failures += 1;
            return None;
        }
        if flight.is_copy && !mutant!(CountCopiesFailures) {
            core.counters.copies_failed += 1;
            return None;
        }
        // It did not have the task's time, and nothing is held against it.
        if flight.is_cut && matches!(failure, Failure::TimedOut { .. }) && !mutant!(CountShortTurns) {
            self.wait(core, at, 0);
            return None;
        }
        self.count(core, at, failure);
        match self.verdict(core, at, flight, failure) {
            Verdict::Fail(error) => Some(Outcome::Failed { error }),
            Verdict::Grow { size } => {
                let alone = matches!(failure, Failure::TimedOut { .. }) && size == flight.size;
                core.counters.more_time_alone += u64::from(alone);
                let task = self.task_mut(at);
                task.size = task.size.max(size);
                self.wait(core, at, 0);
                None
            }
            Verdict::Retry { after_ms } => {
                self.wait(core, at, after_ms);
                None
            }
        }
    }

    fn count(&mut self, core: &mut Core, at: TaskKey, failure: &Failure) {
        let counters = &mut core.counters;
        let tries = &mut self.stages[at.stage].tasks[at.task].tries;
        let (count, counter) = match failure {
            Failure::Transient { .. } => {
                self.retries += 1;
                (&mut tries.transient, &mut counters.transient)
            }
            Failure::Throttled { .. } => (&mut tries.throttled, &mut counters.throttled),
            Failure::Unreachable { .. } => (&mut tries.unreachable, &mut counters.unreachable),
            Failure::EnvironmentLost { .. } => (&mut tries.environments_lost, &mut counters.environments_lost),
            Failure::TimedOut { .. } => (&mut tries.timed_out, &mut counters.escalated_time),
            // A lost input that is none of the task's inputs is a bad answer.
            Failure::Broken { .. } | Failure::InputLost { .. } => (&mut tries.crashes, &mut counters.crashed),
            Failure::NeedsMemory { .. } => (&mut tries.short_of_memory, &mut counters.escalated_memory),
            Failure::User { .. } => return,
        };
        *count += 1;
        *counter += 1;
    }

    fn verdict(&self, core: &mut Core, at: TaskKey, flight: &Attempt, failure: &Failure) -> Verdict {
        let stage = &self.stages[at.stage];
        let case = Case {
            attempt: self.attempt(at, flight.number),
            size: flight.size,
            time_ms: flight.time_ms,
            next_time_ms: self.next_time_ms(core, at),
            splits: &stage.planned.tasks[at.task].scans,
            memory_bytes_max: self.limits.memory_bytes_max,
            query_retries: self.retries,
            query_retries_max: self.retries_max,
        };
        let tries = &stage.tasks[at.task].tries;
        retry::judge(&case, failure, tries, &core.settings, &mut core.jitter)
    }

    /// None if the query has no time left.
    fn next_time_ms(&self, core: &Core, at: TaskKey) -> u64 {
        let deadline = self.task_deadline(core, at);
        deadline.map_or(0, |deadline| deadline.since(core.now).as_millis() as u64)
    }

    /// Until the next attempt; there need be none if a copy is in flight.
    fn wait(&mut self, core: &mut Core, at: TaskKey, after_ms: u64) {
        if !mutant!(ForgetPromotion) && self.promote_copy(core, at) {
            return;
        }
        if after_ms == 0 {
            return self.enter(core, at, Phase::Queued);
        }
        let when = core.now + Duration::from_millis(after_ms);
        self.enter(core, at, Phase::Waiting);
        self.task_mut(at).retry_at = Some(when);
        if !mutant!(ForgetRetryTimer) {
            core.timers.set(when, Timer::Retry(self.id.clone(), at));
        }
    }
}
