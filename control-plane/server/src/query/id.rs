//! Query ids as Trino spells them: `20261120_151209_00042_k3x9a`, that is UTC, a counter, and who issued it.

use chrono::DateTime;
use mayfly_protocol::{EpochMs, QueryId};
use rand::Rng;
use std::sync::atomic::{AtomicU32, Ordering};

const COUNTER_MODULUS: u32 = 100_000;
const ISSUER_CHARACTERS: usize = 5;

/// Issues ids. Two issuers differ in their last five characters, one issuer's ids in their counter.
pub struct QueryIds {
    issuer: String,
    next: AtomicU32,
}

impl QueryIds {
    pub fn new() -> QueryIds {
        let mut random = rand::rng();
        let character = |_| char::from_digit(random.random_range(0..36), 36).expect("a digit of base 36");
        QueryIds {
            issuer: (0..ISSUER_CHARACTERS).map(character).collect(),
            next: AtomicU32::new(0),
        }
    }

    pub fn issue(&self, now: EpochMs) -> QueryId {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % COUNTER_MODULUS;
        let ms = i64::try_from(now.0).unwrap_or(i64::MAX);
        let time = DateTime::from_timestamp_millis(ms)
            .unwrap_or_default()
            .format("%Y%m%d_%H%M%S");
        let text = format!("{time}_{number:05}_{}", self.issuer);
        text.parse()
            .expect("digits, underscores and base-36 characters make an id")
    }
}
