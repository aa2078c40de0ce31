//! The wall clock, read here and passed on as data.

use mayfly_protocol::EpochMs;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in milliseconds since 1970. A clock before 1970 reads as 0.
pub fn now() -> EpochMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EpochMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
