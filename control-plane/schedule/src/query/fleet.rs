//! Notices that nothing answers: a query of which nothing but failures was seen for a minute fails, and never hangs.

use super::Query;
use crate::core::Core;
use crate::timers::Timer;
use mayfly_protocol::{EpochMs, ErrorCode, Failure, QueryError};
use std::time::Duration;

impl Query {
    /// An executor answered in a way that only a living one can.
    pub(super) fn show_life(&mut self, core: &mut Core) {
        core.alive_at = Some(core.now);
        self.cancel_fleet_timer(core);
        self.failing_since = None;
    }

    pub(super) fn cancel_fleet_timer(&self, core: &mut Core) {
        if let Some(when) = self.fleet_check_at(core) {
            core.timers.cancel(when, Timer::Fleet(self.id.clone()));
        }
    }

    /// Starts the clock at the first failure; an error once it has run out.
    pub(super) fn note_failure(&mut self, core: &mut Core, failure: &Failure) -> Option<QueryError> {
        match failure {
            Failure::Transient { .. }
            | Failure::Throttled { .. }
            | Failure::Unreachable { .. }
            | Failure::EnvironmentLost { .. } => {}
            _ => {
                self.show_life(core);
                return None;
            }
        }
        self.last_failure = failure.class();
        if self.failing_since.is_none() {
            self.failing_since = Some(core.now);
            let when = self.fleet_check_at(core).expect("it was just set");
            core.timers.set(when, Timer::Fleet(self.id.clone()));
        }
        self.fleet_is_dead(core)
    }

    /// Dead: failing for long enough, no life in other queries either, and nothing in flight from before that might still answer.
    pub fn fleet_is_dead(&self, core: &mut Core) -> Option<QueryError> {
        let since = self.failing_since?;
        let long_enough = self.fleet_check_at(core).is_some_and(|when| core.now >= when);
        let life = core.alive_at.is_some_and(|alive| alive > since);
        let hope = long_enough && self.flights().any(|(_, flight)| flight.launched < since);
        let (life, hope) = (
            life && !mutant!(FleetDeadDespiteLife),
            hope && !mutant!(FleetDeadDespiteHope),
        );
        if !long_enough || life || hope || mutant!(FleetNeverDead) {
            return None;
        }
        core.counters.fleet_dead += 1;
        let seconds = core.settings.fleet_dead_ms / 1_000;
        let text = format!(
            "no executor has answered for {seconds} s; the last failure was {}",
            self.last_failure
        );
        let hint = "check that the executor function exists, may be invoked and has concurrency left";
        Some(QueryError::new(ErrorCode::NoNodesAvailable, text).hint(hint))
    }

    fn fleet_check_at(&self, core: &Core) -> Option<EpochMs> {
        let since = self.failing_since?;
        Some(since + Duration::from_millis(core.settings.fleet_dead_ms))
    }
}
