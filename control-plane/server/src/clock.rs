//! The wall clock, read in one place.

use mayfly_protocol::EpochMs;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn now() -> EpochMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 is broken; the start of time keeps the server answering.
    EpochMs(since.map_or(0, |duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
}
