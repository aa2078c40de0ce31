//! What the same query would have cost elsewhere: one line under a bill. No bill that a user sees has the line yet.

use crate::PriceBook;
use mayfly_protocol::PicoDollars;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Athena bills at least this many bytes per query, and rounds up to whole megabytes.
pub const ATHENA_BYTES_MIN: u64 = 10 * MEGABYTE;
const MEGABYTE: u64 = 1 << 20;

/// A peer's charge for scanning the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    pub peer: String,
    /// Bytes that our executors scanned; what the peer would scan is not known better.
    pub scanned_bytes: u64,
    /// Bytes that the peer would bill after its rounding and minimum.
    pub billed_bytes: u64,
    pub amount: PicoDollars,
}

impl Comparison {
    /// A terabyte is taken as 2⁴⁰ bytes, the reading that is cheaper for Athena.
    pub fn athena(book: &PriceBook, scanned_bytes: u64) -> Comparison {
        let megabytes = scanned_bytes.div_ceil(MEGABYTE);
        let billed_bytes = megabytes.saturating_mul(MEGABYTE).max(ATHENA_BYTES_MIN);
        Comparison {
            peer: "Athena".to_owned(),
            scanned_bytes,
            billed_bytes,
            amount: book.athena.of(u128::from(billed_bytes)),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.billed_bytes / MEGABYTE;
        write!(
            f,
            "{} would charge {} for scanning {megabytes} MB",
            self.peer, self.amount
        )
    }
}
