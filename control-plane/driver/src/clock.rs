//! The wall clock, read here and passed on as data.

use mayfly_protocol::EpochMs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What it has shown at the latest.
static SHOWN: AtomicU64 = AtomicU64::new(0);

/// Now, in milliseconds since 1970. Never runs backwards: one that was set back shows the same until it has caught up. Before 1970 it
/// reads as 0.
pub fn now() -> EpochMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    EpochMs(SHOWN.fetch_max(ms, Ordering::Relaxed).max(ms))
}
