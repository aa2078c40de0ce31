//! Where objects lie in the control bucket. Keys are spread over 16 prefixes, since S3 scales requests by prefix.

use mayfly_protocol::{AttemptId, Digest, QueryId, TaskId, TenantId};

/// Prefixes over which one query's objects are spread: cleaning up is as many parallel listings.
pub const SHARDS: u32 = 16;

/// The shard of a task's objects. Neighbouring tasks lie apart, and stages start at different shards.
pub fn shard(task: TaskId) -> u32 {
    task.stage
        .index
        .wrapping_mul(7)
        .wrapping_add(task.stage.generation)
        .wrapping_add(task.index)
        % SHARDS
}

/// The key of an attempt's object without its nonce: `x/{tenant}/{shard}/{query}/s{stage}/t{task}/{epoch}-{n}-`.
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

/// The prefixes that hold everything a query published.
pub fn query_prefixes(tenant: &TenantId, query: &QueryId) -> Vec<String> {
    (0..SHARDS)
        .map(|shard| format!("x/{tenant}/{shard:02}/{query}/"))
        .collect()
}

/// A plan too big for a task's spec.
pub fn plan(tenant: &TenantId, query: &QueryId, digest: &Digest) -> String {
    format!("p/{tenant}/{query}/{digest}")
}

#[cfg(test)]
mod tests;
