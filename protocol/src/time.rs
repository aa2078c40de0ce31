//! Time as data. Nothing here reads a clock: whoever owns one passes an [`EpochMs`] in.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochMs(pub u64);

impl EpochMs {
    /// Time from `earlier` until `self`; zero when `earlier` is not earlier.
    pub fn since(self, earlier: EpochMs) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for EpochMs {
    type Output = EpochMs;

    /// Saturates at the end of time; sub-millisecond parts are dropped.
    fn add(self, duration: Duration) -> EpochMs {
        EpochMs(
            self.0
                .saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub<Duration> for EpochMs {
    type Output = EpochMs;

    fn sub(self, duration: Duration) -> EpochMs {
        EpochMs(
            self.0
                .saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

impl fmt::Display for EpochMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
