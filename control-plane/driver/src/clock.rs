//! Two clocks. The steady one counts: deadlines, pauses and retries are on it, and it neither jumps nor stops when somebody sets the
//! time. The wall clock only names moments, for people and for other machines. Both are read here and passed on as data.

use mayfly_protocol::EpochMs;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where the steady clock began, which is what the wall clock showed then.
static START: OnceLock<(Instant, EpochMs)> = OnceLock::new();

/// Now, on the steady clock.
pub fn now() -> EpochMs {
    at(Instant::now())
}

/// A moment of this process on the steady clock.
fn at(moment: Instant) -> EpochMs {
    let (began, shown) = *START.get_or_init(|| (Instant::now(), wall()));
    shown + moment.saturating_duration_since(began)
}

/// What the wall clock shows; 0 before 1970.
pub fn wall() -> EpochMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EpochMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// What the wall clock calls a moment of the steady one.
pub fn named(steady: EpochMs) -> EpochMs {
    moved(steady, now(), wall())
}

/// The moment of the steady clock that a name of the wall clock's stands for.
pub fn counted(named: EpochMs) -> EpochMs {
    moved(named, wall(), now())
}

/// As far from `to` as `moment` is from `from`.
fn moved(moment: EpochMs, from: EpochMs, to: EpochMs) -> EpochMs {
    match moment >= from {
        true => to + moment.since(from),
        false => to - from.since(moment),
    }
}

#[cfg(test)]
mod tests;
