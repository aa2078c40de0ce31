//! How objects of a query are named in the control bucket. The scheduler names them, executors write them, cleanup finds them.
//!
//! ```text
//! x/{tenant}/{shard 00–15}/{query}/s{stage}/t{task}/{epoch}-{n}-{nonce}   shuffle and result objects
//! x/{tenant}/00/{query}/cancel                                            once it exists, attempts stop
//! p/{tenant}/{query}/{digest}                                             plans too large for a spec
//! j/{tenant}/{query}/…                                                    the query's journal
//! probe/…                                                                 written and deleted when a coordinator starts
//! ```
//! The shard stands before the query, so that one query's requests spread over 16 key ranges of S3; cleanup and resume are 16 LISTs.

use crate::{AttemptId, Digest, Nonce, QueryId, TaskId, TenantId};

/// Key ranges over which the objects of one tenant spread.
pub const SHARDS: u32 = 16;

/// First parts of the keys in the control bucket that hold what is ours: no table lies there, whatever else is allowed.
pub const PRIVATE: [&str; 4] = ["catalog", "j", "p", "x"];

/// Whether the key, in the control bucket, is one that tables cannot have. So is the whole bucket's.
pub fn is_private(key: &str) -> bool {
    let first = key.split('/').next().unwrap_or_default();
    first.is_empty() || PRIVATE.contains(&first)
}

/// What nobody reads any more so many days after it was written. A query runs for hours at most, and its rows are kept for minutes; its journal
/// tells for a week what became of it. What is found there later was left by a process that died. Catalog and tables are under other
/// prefixes, and stay.
pub const EXPIRING: [(&str, u32); 4] = [("x/", 1), ("p/", 1), ("j/", 7), ("probe/", 1)];

/// What an output's key takes besides tenant and query, if its numbers are small; saves growing.
const OUTPUT_BYTES: usize = 48;

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
    let shard = u64::from(shard(*task));
    let mut key = String::with_capacity(OUTPUT_BYTES + query.as_str().len() + tenant.as_str().len());
    key.extend(["x/", tenant.as_str(), "/"]);
    push_number(&mut key, shard / 10);
    push_number(&mut key, shard % 10);
    key.extend(["/", query.as_str(), "/s"]);
    push_number(&mut key, u64::from(task.stage.index));
    if task.stage.generation > 0 {
        key.push('g');
        push_number(&mut key, u64::from(task.stage.generation));
    }
    key.push_str("/t");
    push_number(&mut key, u64::from(task.index));
    key.push('/');
    push_number(&mut key, u64::from(*epoch));
    key.push('-');
    push_number(&mut key, u64::from(*number));
    key.push('-');
    key
}

/// Digits, without the formatting machinery: every launch and every report names a key.
fn push_number(key: &mut String, number: u64) {
    if number >= 10 {
        push_number(key, number / 10);
    }
    key.push(char::from(b'0' + (number % 10) as u8));
}

/// Key of an attempt's output.
pub fn output(tenant: &TenantId, attempt: &AttemptId, nonce: Nonce) -> String {
    let mut key = output_prefix(tenant, attempt);
    let digits = (0..16).rev().map(|place| (nonce.0 >> (4 * place)) as u32 & 15);
    key.extend(digits.map(|digit| char::from_digit(digit, 16).expect("four bits")));
    key
}

/// The prefixes under which all outputs of a query lie.
pub fn query_prefixes(tenant: &TenantId, query: &QueryId) -> Vec<String> {
    (0..SHARDS)
        .map(|shard| format!("x/{tenant}/{shard:02}/{query}/"))
        .collect()
}

/// Key of the object that tells a query's attempts to stop. It lies under one of the query's prefixes and goes with them.
pub fn cancel(tenant: &TenantId, query: &QueryId) -> String {
    ["x/", tenant.as_str(), "/00/", query.as_str(), "/cancel"].concat()
}

/// Key of a plan that is too large to ride in a spec.
pub fn plan(tenant: &TenantId, query: &QueryId, digest: &Digest) -> String {
    format!("p/{tenant}/{query}/{digest}")
}

#[cfg(test)]
mod tests;
