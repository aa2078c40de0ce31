//! The emulator's own count of what was asked of it: the second book of double-entry bookkeeping. Counts what arrived on the
//! wire, refused requests too; knows no price. What of it AWS would charge for stands in billed.rs.

mod billed;
mod metrics;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

pub use billed::{Billed, S3Billed};
use http::StatusCode;
use serde::Serialize;

/// What was counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Bucket (empty for requests that name none) → operation → status class → requests.
    pub s3: BTreeMap<String, BTreeMap<S3Operation, BTreeMap<StatusClass, u64>>>,
    /// Action (empty for requests that name none) → requests.
    pub sqs: BTreeMap<String, u64>,
    pub lambda: LambdaCounts,
    /// The same, as AWS would charge for it.
    pub billed: Billed,
}

impl Counts {
    /// Requests of one kind over all buckets and statuses.
    pub fn s3_requests(&self, operation: S3Operation) -> u64 {
        self.s3
            .values()
            .filter_map(|bucket| bucket.get(&operation))
            .flat_map(BTreeMap::values)
            .sum()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LambdaCounts {
    pub functions: BTreeMap<String, FunctionCounts>,
    /// Most invocations in flight at any moment.
    pub concurrency_peak: u64,
    pub in_flight: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FunctionCounts {
    /// Invocations that were started; a throttled one is not.
    pub invocations: u64,
    /// Of those, answered with `X-Amz-Function-Error`.
    pub errors: u64,
    pub throttles: u64,
    pub cold_starts: u64,
    /// Σ ceil(init + duration).
    pub billed_ms: u64,
    /// Σ billed milliseconds × memory size.
    pub billed_mb_ms: u64,
}

/// Kinds of S3 request as a bill tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum S3Operation {
    Get,
    Head,
    Put,
    Copy,
    List,
    Delete,
    MultipartCreate,
    MultipartPart,
    MultipartComplete,
    MultipartAbort,
    CreateBucket,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum StatusClass {
    #[serde(rename = "2xx")]
    Success,
    #[serde(rename = "3xx")]
    Redirection,
    #[serde(rename = "4xx")]
    ClientError,
    #[serde(rename = "5xx")]
    ServerError,
}

impl From<StatusCode> for StatusClass {
    fn from(status: StatusCode) -> StatusClass {
        match status.as_u16() {
            500.. => StatusClass::ServerError,
            400..500 => StatusClass::ClientError,
            300..400 => StatusClass::Redirection,
            _ => StatusClass::Success,
        }
    }
}

/// Where the services count; shared by all of them.
#[derive(Debug, Default)]
pub(crate) struct Counter(Mutex<Counts>);

impl Counter {
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    /// `path` is `bucket/key`.
    pub fn s3(&self, bucket: &str, path: &str, operation: S3Operation, status: StatusCode) {
        let mut counts = self.lock();
        counts.billed.s3(path, operation, status.into());
        if !counts.s3.contains_key(bucket) {
            counts.s3.insert(bucket.to_owned(), BTreeMap::new());
        }
        let bucket = counts.s3.get_mut(bucket).expect("inserted above");
        *bucket.entry(operation).or_default().entry(status.into()).or_default() += 1;
    }

    pub fn sqs(&self, action: &str) {
        *self.lock().sqs.entry(action.to_owned()).or_default() += 1;
    }

    /// A request to a queue and the bytes of payload that went either way.
    pub fn sqs_billed(&self, queue: &str, bytes: usize) {
        self.lock().billed.sqs(queue, bytes);
    }

    /// Forgets everything but what is in flight just now.
    pub fn reset(&self) {
        let mut counts = self.lock();
        let in_flight = counts.lambda.in_flight;
        *counts = Counts::default();
        counts.lambda.in_flight = in_flight;
        counts.lambda.concurrency_peak = in_flight;
    }

    pub fn function(&self, name: &str, change: impl FnOnce(&mut FunctionCounts)) {
        change(self.lock().lambda.functions.entry(name.to_owned()).or_default());
    }

    pub fn in_flight(&self, now: usize) {
        let mut counts = self.lock();
        let now = now as u64;
        counts.lambda.in_flight = now;
        counts.lambda.concurrency_peak = counts.lambda.concurrency_peak.max(now);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().expect("counting does not panic")
    }
}
