//! The emulator's own count of what was asked of it: the second book of double-entry bookkeeping. Counts what arrived on the
//! wire, refused requests too; knows no price.

pub(crate) mod metrics;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use http::StatusCode;
use serde::Serialize;

/// Distinct actions, queues, buckets, or key prefixes of a bucket; what comes later is counted under [`OTHER_NAMES`].
const NAMES_MAX: usize = 1000;
const OTHER_NAMES: &str = "*";
/// Payload that SQS bills as one request.
const SQS_CHUNK_BYTES: u64 = 64 << 10;

/// What was counted since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Bucket (empty for requests that name none) → operation → status class → requests.
    pub s3: BTreeMap<String, Kinds>,
    /// Action (empty for requests that name none) → requests.
    pub sqs: BTreeMap<String, u64>,
    pub lambda: LambdaCounts,
    /// Bucket → first component of the key, as it travels in the path (empty for keys without a slash) → operation → status class →
    /// requests.
    pub s3_prefixes: BTreeMap<String, BTreeMap<String, Kinds>>,
    /// Queue (empty for requests that name none) → action → requests.
    pub sqs_queues: BTreeMap<String, BTreeMap<String, SqsCounts>>,
}

/// Operation → status class → requests.
pub type Kinds = BTreeMap<S3Operation, BTreeMap<StatusClass, u64>>;

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

/// Requests that were authorized and could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SqsCounts {
    pub requests: u64,
    /// One per request and begun 64 KiB of payload.
    pub billed_requests: u64,
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

    /// Starts from nothing, but for what is in flight.
    pub fn reset(&self) {
        let mut counts = self.lock();
        let in_flight = counts.lambda.in_flight;
        *counts = Counts::default();
        counts.lambda.in_flight = in_flight;
        counts.lambda.concurrency_peak = in_flight;
    }

    pub fn s3(&self, bucket: &str, prefix: &str, operation: S3Operation, status: StatusCode) {
        let mut counts = self.lock();
        let status = StatusClass::from(status);
        let count = |kinds: &mut Kinds| *kinds.entry(operation).or_default().entry(status).or_default() += 1;
        count(bounded(bounded(&mut counts.s3_prefixes, bucket), prefix));
        count(bounded(&mut counts.s3, bucket));
    }

    pub fn sqs(&self, action: &str) {
        *bounded(&mut self.lock().sqs, action) += 1;
    }

    pub fn sqs_payload(&self, queue: &str, action: &str, payload_bytes: u64) {
        let mut counts = self.lock();
        let counts = bounded(bounded(&mut counts.sqs_queues, queue), action);
        counts.requests += 1;
        counts.billed_requests += payload_bytes.div_ceil(SQS_CHUNK_BYTES).max(1);
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

/// The entry of a name, or of all other names once there are too many.
fn bounded<'m, V: Default>(map: &'m mut BTreeMap<String, V>, name: &str) -> &'m mut V {
    let is_full = map.len() >= NAMES_MAX && !map.contains_key(name);
    let name = if is_full { OTHER_NAMES } else { name };
    map.entry(name.to_owned()).or_default()
}
