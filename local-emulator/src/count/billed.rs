//! Requests as AWS charges for them: by price class, per bucket and first part of the key, per queue in units of 64 KiB. Amounts only, no money.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{S3Operation, StatusClass};

/// Prefixes and queues that are told apart; what comes after them counts as [`OTHERS`].
const NAMES_MAX: usize = 1000;
const OTHERS: &str = "(others)";
/// Payload of one SQS request as it is charged.
const SQS_UNIT_BYTES: usize = 64 << 10;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Billed {
    /// By `bucket/` and the first part of the key with its slash, if it has one.
    pub s3: BTreeMap<String, S3Billed>,
    /// Requests by queue (empty where none is named).
    pub sqs: BTreeMap<String, u64>,
}

/// Requests of one prefix by price class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct S3Billed {
    /// PUT, COPY, POST and LIST.
    pub tier1: u64,
    /// GET and all others.
    pub tier2: u64,
    /// DELETE, aborted uploads, and whatever was answered with 5xx.
    pub free: u64,
}

impl Billed {
    pub(super) fn s3(&mut self, path: &str, operation: S3Operation, status: StatusClass) {
        let billed = bounded(&mut self.s3, prefix(path));
        match (status, tier(operation)) {
            (StatusClass::ServerError, _) | (_, None) => billed.free += 1,
            (_, Some(1)) => billed.tier1 += 1,
            (_, Some(_)) => billed.tier2 += 1,
        }
    }

    pub(super) fn sqs(&mut self, queue: &str, bytes: usize) {
        *bounded(&mut self.sqs, queue) += bytes.div_ceil(SQS_UNIT_BYTES).max(1) as u64;
    }
}

fn tier(operation: S3Operation) -> Option<u8> {
    use S3Operation::*;
    match operation {
        Put | Copy | List | MultipartCreate | MultipartPart | MultipartComplete | CreateBucket => Some(1),
        Get | Head | Other => Some(2),
        Delete | MultipartAbort => None,
    }
}

/// `bucket/a/` of `bucket/a/b/c`, `bucket/` of `bucket/a`.
fn prefix(path: &str) -> &str {
    let mut slashes = path.match_indices('/').map(|(at, _)| at + 1);
    let (first, second) = (slashes.next(), slashes.next());
    &path[..second.or(first).unwrap_or(path.len())]
}

fn bounded<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    let name = match map.contains_key(name) || map.len() < NAMES_MAX {
        true => name,
        false => OTHERS,
    };
    map.entry(name.to_owned()).or_default()
}
