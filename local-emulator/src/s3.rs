//! S3: `s3s` speaks the protocol and verifies signatures, the store behind it is ours. Path-style addressing only; no versioning, no ACLs,
//! no policies.

mod adapter;
mod bucket;
mod classify;
mod fault;
mod get;
mod latency;
mod lifecycle;
mod list;
mod multipart;
mod put;
mod service;
mod shape;

mod body;
mod condition;
mod digest;
mod listing;
mod log;
mod mount;
mod object;
mod receive;
mod restore;
mod store;
mod upload;

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use s3s::dto::Timestamp;

pub use fault::S3Fault;
pub(crate) use latency::Latency;
pub(crate) use lifecycle::expire;
pub(crate) use service::{Parts, service};
pub(crate) use store::Store;

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

fn timestamp(ms: u64) -> Timestamp {
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(ms))
}

/// As a header shows it, which conditions compare with.
fn timestamp_in_seconds(ms: u64) -> Timestamp {
    timestamp(ms / 1000 * 1000)
}
