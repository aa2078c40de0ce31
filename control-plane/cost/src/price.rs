//! One unit price: an exact decimal and the unit it is for. All arithmetic on prices lives here.

use mayfly_protocol::PicoDollars;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Request,
    /// 1,024 MB for 1,000 ms. Quantities are counted in MB·ms.
    GbSecond,
    /// 2⁴⁰ bytes. Quantities are counted in bytes.
    TbScanned,
}

impl Unit {
    /// Counted quantities that make one priced unit.
    pub const fn quantities(self) -> u128 {
        match self {
            Unit::Request => 1,
            Unit::GbSecond => 1_024 * 1_000,
            Unit::TbScanned => 1 << 40,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Unit::Request => "request",
            Unit::GbSecond => "GB-s",
            Unit::TbScanned => "TB",
        }
    }
}

/// Price of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub amount: PicoDollars,
    pub unit: Unit,
}

impl Price {
    /// What `quantity` costs, rounded up to the next pico-dollar.
    pub fn of(&self, quantity: u128) -> PicoDollars {
        PicoDollars((quantity * self.amount.0).div_ceil(self.unit.quantities()))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.amount, self.unit.name()))
    }
}

/// Reads a decimal amount of dollars exactly; none if it is not one or is finer than a pico-dollar.
pub(crate) fn dollars(text: &str) -> Option<PicoDollars> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(whole) || !numeric(fraction) || fraction.len() > 12 || whole.len() > 12 {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    let fraction: u128 = format!("{fraction:0<12}").parse().ok()?;
    Some(PicoDollars(whole * PicoDollars::PER_DOLLAR + fraction))
}
