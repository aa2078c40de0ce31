//! Query ids as Trino spells them: `20261120_151209_00042_k3x9a`, that is UTC, a counter, and who issued it.

use chrono::DateTime;
use mayfly_protocol::{EpochMs, QueryId};
use rand::Rng;
use std::sync::atomic::{AtomicU32, Ordering};

const COUNTER_MODULUS: u32 = 100_000;
const ISSUER_CHARACTERS: usize = 5;

/// Whether some server of ours may have issued it.
pub fn is_ours(id: &QueryId) -> bool {
    let digits = |text: &str, len| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_base_36 = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let parts: Vec<&str> = id.as_str().split('_').collect();
    let [date, time, counter, issuer] = parts[..] else {
        return false;
    };
    let is_issuer = issuer.len() == ISSUER_CHARACTERS && issuer.bytes().all(is_base_36);
    digits(date, 8) && digits(time, 6) && digits(counter, 5) && is_issuer
}

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

#[cfg(test)]
mod tests;
