//! What a query has used and what that cost: `stats.mayfly`, which reaches users of unmodified clients.

use crate::query::View;
use mayfly_cost::Bill;
use mayfly_protocol::Meter;
use serde::Serialize;

/// MB·ms in one GB·s, as Lambda counts them.
const GB_SECOND: f64 = 1024.0 * 1000.0;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// So far; for reading, sums are made of the bill's integers.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    /// Attempts are out, or what they left is yet to be looked for, also after the query's end: more is to come.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    so_far: bool,
    invocations: u64,
    cold_starts: u64,
    lambda_gb_s: f64,
    s3_get: u64,
    s3_put: u64,
    s3_list: u64,
    s3_bytes_read: u64,
    s3_bytes_written: u64,
    sqs_requests: u64,
    /// Line by line, once the query has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    bill: Option<Bill>,
}

impl Cost {
    pub fn new(view: &View, meter: &Meter) -> Cost {
        Cost {
            cost_usd: view.bill.as_ref().map(|bill| bill.total.as_dollars_f64()),
            so_far: view.so_far,
            invocations: meter.invocations,
            cold_starts: meter.cold_starts,
            lambda_gb_s: meter.billed_mb_ms as f64 / GB_SECOND,
            s3_get: meter.s3.gets,
            s3_put: meter.s3.puts,
            s3_list: meter.s3.lists,
            s3_bytes_read: meter.s3.bytes_read,
            s3_bytes_written: meter.s3.bytes_written,
            sqs_requests: meter.sqs_requests,
            bill: view.bill.clone().filter(|_| view.phase.is_final()),
        }
    }

    /// `cost $0.0031: 41 invocations, 12.2 GB-s, 96 PUT, 410 GET`
    pub fn summary(&self) -> Option<String> {
        let total = self.bill.as_ref()?.total;
        let so_far = if self.so_far { " so far" } else { "" };
        let Cost {
            invocations,
            lambda_gb_s,
            s3_put,
            s3_get,
            ..
        } = self;
        Some(format!(
            "cost {total}{so_far}: {invocations} invocations, {lambda_gb_s:.1} GB-s, {s3_put} PUT, {s3_get} GET"
        ))
    }
}
