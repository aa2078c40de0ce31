//! How objects of a query are named in the control bucket. The scheduler names them, executors write them, cleanup finds them.
//!
//! ```text
//! x/{tenant}/{shard 00–15}/{query}/s{stage}/t{task}/{epoch}-{n}-{nonce}   shuffle and result objects
//! x/{tenant}/00/{query}/cancel                                            once it exists, attempts stop
//! p/{tenant}/{query}/{digest}                                             plans too large for a spec
//! ```
//! The shard stands before the query, so that one query's requests spread over 16 key ranges of S3; cleanup and resume are 16 LISTs.

use crate::{AttemptId, Digest, Nonce, QueryId, TaskId, TenantId};

/// Key ranges over which the objects of one tenant spread.
pub const SHARDS: u32 = 16;

/// `0..SHARDS`. Tasks of one stage take shards in turn; stages start at different ones.
pub const fn shard(task: TaskId) -> u32 {
    let start = task.stage.index.wrapping_mul(5).wrapping_add(task.stage.generation);
    start.wrapping_add(task.index) % SHARDS
}

/// Key of an attempt's output without the nonce.
pub fn output_prefix(tenant: &TenantId, attempt: &AttemptId) -> String {
    let AttemptId {
        query,
        task,
        epoch,
        number,
    } = attempt;
    let shard = shard(*task);
    format!("x/{tenant}/{shard:02}/{query}/{task}/{epoch}-{number}-")
}

/// Key of an attempt's output.
pub fn output(tenant: &TenantId, attempt: &AttemptId, nonce: Nonce) -> String {
    format!("{}{nonce}", output_prefix(tenant, attempt))
}

/// The prefixes under which all outputs of a query lie.
pub fn query_prefixes(tenant: &TenantId, query: &QueryId) -> Vec<String> {
    (0..SHARDS)
        .map(|shard| format!("x/{tenant}/{shard:02}/{query}/"))
        .collect()
}

/// Key of the object that tells a query's attempts to stop. It lies under one of the query's prefixes and goes with them.
pub fn cancel(tenant: &TenantId, query: &QueryId) -> String {
    format!("x/{tenant}/00/{query}/cancel")
}

/// Key of a plan that is too large to ride in a spec.
pub fn plan(tenant: &TenantId, query: &QueryId, digest: &Digest) -> String {
    format!("p/{tenant}/{query}/{digest}")
}

#[cfg(test)]
mod tests;
