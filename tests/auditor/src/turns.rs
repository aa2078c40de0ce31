//! Short turns: attempts beside the slots, cut to a short time, of queries of which nothing else runs and that never ran out of one.

use crate::auditor::Bounds;
use crate::history::{History, Launch};
use crate::violation::{Rule, must};

pub(crate) fn is_short(bounds: &Bounds, launch: &Launch) -> bool {
    bounds.short_turns_max > 0 && launch.time_ms() == bounds.short_turn_ms && !launch.until_end
}

/// Looked at before the launch is in flight.
pub(crate) fn check(history: &History, launch: &Launch) -> Rule {
    if !is_short(&history.bounds, launch) {
        return Ok(());
    }
    must(!history.is_long, || {
        "has a short turn, and ran out of one before".to_owned()
    })?;
    must(!history.launches().any(Launch::is_open), || {
        "has a short turn beside another attempt of its query".to_owned()
    })
}
