//! How many digits of a second a client sees, and how time zones are called.

use arrow::datatypes::TimeUnit;
use serde::{Deserialize, Serialize};

/// What a client can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// As many digits as the type has: the client said PARAMETRIC_DATETIME.
    Exact,
    /// Rounded to three digits.
    Millis,
}

impl Precision {
    /// Digits shown of a value that has `digits`.
    pub const fn shown(self, digits: u32) -> u32 {
        match self {
            Precision::Exact => digits,
            Precision::Millis => 3,
        }
    }
}

/// Digits of a second's fraction that a unit holds.
pub const fn digits(unit: &TimeUnit) -> u32 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// The name that Trino gives a zone: it calls every zero offset UTC.
pub fn zone_name(zone: &str) -> &str {
    match zone {
        "+00:00" | "-00:00" | "+00" | "+0000" | "Z" | "" => "UTC",
        zone => zone,
    }
}
