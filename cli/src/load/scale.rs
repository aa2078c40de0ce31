//! How much TPC-H data: 1 is about a gigabyte as text.

use std::fmt;
use std::str::FromStr;

/// Beyond this the generator's keys no longer fit what it was checked for.
const SCALE_MAX: f64 = 100_000.0;
/// Below this some tables have hardly a row.
const SCALE_MIN: f64 = 0.001;

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Scale(f64);

impl Scale {
    pub const ONE: Scale = Scale(1.0);

    pub const fn factor(self) -> f64 {
        self.0
    }

    /// `tpch_sf1`, `tpch_sf0_1`.
    pub fn schema(self) -> String {
        format!("tpch_sf{self}").replace('.', "_")
    }
}

impl FromStr for Scale {
    type Err = String;

    fn from_str(text: &str) -> Result<Scale, String> {
        match text.parse::<f64>() {
            Ok(factor) if (SCALE_MIN..=SCALE_MAX).contains(&factor) => Ok(Scale(factor)),
            _ => Err(format!("expected a number from {SCALE_MIN} to {SCALE_MAX}")),
        }
    }
}

/// Without trailing zeros: `1`, `0.1`.
impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
