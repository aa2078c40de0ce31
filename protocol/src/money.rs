//! Money that adds up: whole pico-dollars. A millisecond of a 1,769 MB x86 function costs 28,792.4 of them, an S3 GET 400,000.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};

/// 10⁻¹² US dollars. A `u128` holds 3·10²⁶ dollars, so sums do not overflow; the operators panic if one ever does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PicoDollars(pub u128);

impl PicoDollars {
    pub const ZERO: PicoDollars = PicoDollars(0);
    pub const PER_DOLLAR: u128 = 1_000_000_000_000;

    pub fn saturating_sub(self, other: PicoDollars) -> PicoDollars {
        PicoDollars(self.0.saturating_sub(other.0))
    }

    /// For charts and ratios only; sums stay in integers.
    pub fn as_dollars_f64(self) -> f64 {
        self.0 as f64 / Self::PER_DOLLAR as f64
    }
}

/// `$0.000004`: the shortest exact decimal with at least two digits after the point.
impl fmt::Display for PicoDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:012}", self.0 % Self::PER_DOLLAR);
        let digits = fraction.trim_end_matches('0').len().max(2);
        f.pad(&format!("${}.{}", self.0 / Self::PER_DOLLAR, &fraction[..digits]))
    }
}

impl Add for PicoDollars {
    type Output = PicoDollars;
    fn add(self, other: PicoDollars) -> PicoDollars {
        PicoDollars(self.0 + other.0)
    }
}

impl AddAssign for PicoDollars {
    fn add_assign(&mut self, other: PicoDollars) {
        self.0 += other.0;
    }
}

impl Sub for PicoDollars {
    type Output = PicoDollars;
    fn sub(self, other: PicoDollars) -> PicoDollars {
        PicoDollars(self.0 - other.0)
    }
}

impl Mul<u64> for PicoDollars {
    type Output = PicoDollars;
    fn mul(self, times: u64) -> PicoDollars {
        PicoDollars(self.0 * u128::from(times))
    }
}

impl Sum for PicoDollars {
    fn sum<I: Iterator<Item = PicoDollars>>(amounts: I) -> PicoDollars {
        amounts.fold(PicoDollars::ZERO, Add::add)
    }
}

/// A string of digits: JSON numbers lose bits above 2^53.
impl Serialize for PicoDollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PicoDollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PicoDollars, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map(PicoDollars)
            .map_err(D::Error::custom)
    }
}
