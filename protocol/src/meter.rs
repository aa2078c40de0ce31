//! What was used, in integers. The executor counts and cannot price; `cost` prices and cannot count.

use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::AddAssign;

/// Requests to S3 by price class, counted per HTTP attempt, so that a retry inside the SDK counts as the request it is.
/// S3 charges for 4xx answers (404, 412) and not for 5xx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct S3Meter {
    /// GET, HEAD and SELECT that were answered below 500.
    pub gets: u64,
    /// PUT, COPY, POST (multipart create, part, complete) that were answered below 500.
    pub puts: u64,
    /// LIST, priced like PUT.
    pub lists: u64,
    /// DELETE, free.
    pub deletes: u64,
    /// Requests that S3 answered with 5xx, or that had no answer: free, but they cost time.
    pub errors: u64,
    /// GETs that were asked a second time because the first answer was late; each of the two counts among the GETs.
    #[serde(skip_serializing_if = "is_zero")]
    pub hedged: u64,
    pub bytes_read: u64,
    pub bytes_written: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What one attempt, or the coordinator on behalf of one query, used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meter {
    pub invocations: u64,
    pub cold_starts: u64,
    /// Billed milliseconds, each times the megabytes of its function.
    pub billed_mb_ms: u64,
    pub billed_ms: u64,
    pub s3: S3Meter,
    /// SQS requests in units of 64 KiB.
    pub sqs_requests: u64,
    /// Invocations whose outcome was not seen and which are therefore billed at their bound.
    pub bounded: u64,
}

impl AddAssign for S3Meter {
    fn add_assign(&mut self, other: S3Meter) {
        self.gets += other.gets;
        self.puts += other.puts;
        self.lists += other.lists;
        self.deletes += other.deletes;
        self.errors += other.errors;
        self.hedged += other.hedged;
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
    }
}

impl AddAssign for Meter {
    fn add_assign(&mut self, other: Meter) {
        self.invocations += other.invocations;
        self.cold_starts += other.cold_starts;
        self.billed_mb_ms += other.billed_mb_ms;
        self.billed_ms += other.billed_ms;
        self.s3 += other.s3;
        self.sqs_requests += other.sqs_requests;
        self.bounded += other.bounded;
    }
}

impl Sum for Meter {
    fn sum<I: Iterator<Item = Meter>>(meters: I) -> Meter {
        meters.fold(Meter::default(), |mut sum, meter| {
            sum += meter;
            sum
        })
    }
}
