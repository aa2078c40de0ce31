//! A fleet of which nothing answers: a query that has seen nothing but failures for a minute ends, and no other does for that reason.
//!
//! Signs of life are reports, of any query, and failures that only a living executor can tell of. An attempt from before the first
//! failure may still answer, and is waited for.

use crate::history::{History, Launch};
use crate::violation::{Rule, must};
use mayfly_protocol::{EpochMs, Failure};

/// Whether the failure says nothing of executors being alive.
pub(crate) fn is_silent(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Transient { .. }
            | Failure::Throttled { .. }
            | Failure::Unreachable { .. }
            | Failure::EnvironmentLost { .. }
    )
}

/// Whether the query must be given up; it may at the very moment.
pub(crate) fn is_dead(history: &History, now: EpochMs, alive_at: Option<EpochMs>) -> bool {
    let Some(since) = history.failing_since else {
        return false;
    };
    let is_long = now.0 >= since.0 + history.bounds.fleet_dead_ms;
    let lives = alive_at.is_some_and(|alive| alive > since);
    let hopes = |launch: &Launch| launch.is_open() && launch.launched < since;
    is_long && !lives && !history.launches().any(hopes)
}

/// Nothing is launched any more into a fleet that is dead.
pub(crate) fn check_launch(history: &History, now: EpochMs, alive_at: Option<EpochMs>) -> Rule {
    // Within the minute nobody looks.
    let before = EpochMs(now.0 - 1);
    must(!is_dead(history, before, alive_at), || {
        "launched though nothing has answered for too long".to_owned()
    })
}
