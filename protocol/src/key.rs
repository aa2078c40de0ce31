//! How objects are named in the control bucket: every key of ours is spelled here, and nowhere else. The scheduler names the objects of
//! queries, executors write them, cleanup finds them; the catalog names its own through [`CatalogKeys`].
//!
//! ```text
//! x/{tenant}/{shard 00–15}/{query}/s{stage}/t{task}/{epoch}-{n}-{nonce}   shuffle and result objects
//! x/{tenant}/00/{query}/cancel                                            once it exists, attempts stop
//! p/{tenant}/{query}/{digest}                                             plans too large for a spec
//! j/{tenant}/{query}/{sequence, 8 digits}                                 the query's journal
//! catalog/{catalog}/{schema}/…                                            schemas, tables, views, footers
//! probe/probe-{uuid}                                                      written and deleted when a coordinator starts
//! probe/state                                                             looked for, never written
//! tables/{schema}/{table}/…                                               what `mayfly load` wrote: files of tables, not of ours
//! ```
//! The shard stands before the query, so that one query's requests spread over 16 key ranges of S3; cleanup and resume are 16 LISTs.
//! Who writes, reads and deletes what is told in `docs/formats/bucket.md`.

mod catalog;

pub use catalog::{CatalogKeys, SchemaKeys};

use crate::{AttemptId, Digest, Nonce, QueryId, StageId, TaskId, TenantId};

/// Outputs of attempts, and the word that cancels them.
pub const OUTPUTS: &str = "x/";

/// Plans that are too large to ride in a spec.
pub const PLANS: &str = "p/";

/// Journals of queries.
pub const JOURNALS: &str = "j/";

/// Schemas, tables, views, and the footers of tables' files.
pub const CATALOG: &str = "catalog/";

/// Objects that try out the bucket.
pub const PROBES: &str = "probe/";

/// Files of the tables that `mayfly load` makes. They are tables like any other's.
pub const TABLES: &str = "tables/";

/// What a server asks for to see whether S3 answers. It need not exist.
pub const STATE_PROBE: &str = "probe/state";

/// Key ranges over which the objects of one tenant spread.
pub const SHARDS: u32 = 16;

/// Prefixes in the control bucket that hold what is ours: no table lies there, whatever else is allowed.
pub const PRIVATE: [&str; 4] = [CATALOG, JOURNALS, PLANS, OUTPUTS];

/// Whether the key, in the control bucket, is one that tables cannot have. So is the whole bucket's.
pub fn is_private(key: &str) -> bool {
    let first = key.split('/').next().unwrap_or_default();
    let is_first = |prefix: &&str| prefix.strip_suffix('/') == Some(first);
    first.is_empty() || PRIVATE.iter().any(is_first)
}

/// What nobody reads any more so many days after it was written. A query runs for hours at most, and its rows are kept for minutes; its journal
/// tells for a week what became of it. What is found there later was left by a process that died. Catalog and tables are under other
/// prefixes, and stay.
pub const EXPIRING: [(&str, u32); 4] = [(OUTPUTS, 1), (PLANS, 1), (JOURNALS, 7), (PROBES, 1)];

/// What an output's key takes besides tenant and query, if its numbers are small; saves growing.
const OUTPUT_BYTES: usize = 48;

/// `0..SHARDS`. Tasks of one stage take shards in turn; stages start at different ones.
pub const fn shard(task: TaskId) -> u32 {
    let start = task.stage.index.wrapping_mul(5).wrapping_add(task.stage.generation);
    start.wrapping_add(task.index) % SHARDS
}

/// Key of an attempt's output without the nonce: `x/{tenant}/{shard}/{query}/s{stage}/t{task}/{epoch}-{n}-`.
pub fn output_prefix(tenant: &TenantId, attempt: &AttemptId) -> String {
    let AttemptId {
        query,
        task,
        epoch,
        number,
    } = attempt;
    let shard = u64::from(shard(*task));
    let mut key = String::with_capacity(OUTPUT_BYTES + query.as_str().len() + tenant.as_str().len());
    key.extend([OUTPUTS, tenant.as_str(), "/"]);
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

/// Key of an attempt's output: `x/{tenant}/{shard}/{query}/s{stage}/t{task}/{epoch}-{n}-{nonce}`.
pub fn output(tenant: &TenantId, attempt: &AttemptId, nonce: Nonce) -> String {
    output_at(output_prefix(tenant, attempt), nonce)
}

/// The same, where an order names the key up to its nonce.
pub fn output_at(prefix: String, nonce: Nonce) -> String {
    let mut key = prefix;
    let digits = (0..16).rev().map(|place| (nonce.0 >> (4 * place)) as u32 & 15);
    key.extend(digits.map(|digit| char::from_digit(digit, 16).expect("four bits")));
    key
}

/// The prefixes under which all outputs of a query lie, one for each shard: `x/{tenant}/{shard}/{query}/`.
pub fn query_prefixes(tenant: &TenantId, query: &QueryId) -> Vec<String> {
    (0..SHARDS)
        .map(|shard| format!("{OUTPUTS}{tenant}/{shard:02}/{query}/"))
        .collect()
}

/// Where a stage's outputs lie below one of the query's prefixes: `{prefix}s{stage}/`.
pub fn stage_prefix(query_prefix: &str, stage: StageId) -> String {
    format!("{query_prefix}{stage}/")
}

/// Key of the object that tells a query's attempts to stop: `x/{tenant}/00/{query}/cancel`. It lies under one of the query's prefixes and goes with them.
pub fn cancel(tenant: &TenantId, query: &QueryId) -> String {
    [OUTPUTS, tenant.as_str(), "/00/", query.as_str(), "/cancel"].concat()
}

/// Key of a plan that is too large to ride in a spec: `p/{tenant}/{query}/{digest}`.
pub fn plan(tenant: &TenantId, query: &QueryId, digest: &Digest) -> String {
    format!("{PLANS}{tenant}/{query}/{digest}")
}

/// Key of a journal record: `j/{tenant}/{query}/00000000`. Eight digits keep LIST in sequence order.
pub fn journal(tenant: &TenantId, query: &QueryId, sequence: u32) -> String {
    format!("{}{sequence:08}", journal_prefix(tenant, query))
}

/// What all records of a query share: `j/{tenant}/{query}/`.
pub fn journal_prefix(tenant: &TenantId, query: &QueryId) -> String {
    format!("{JOURNALS}{tenant}/{query}/")
}

/// Key of an object that tries out conditional writes: `{prefix}probe-{name}`, a coordinator's below [`PROBES`].
pub fn probe(prefix: &str, name: &str) -> String {
    format!("{prefix}probe-{name}")
}

/// Where the files of a table lie that `mayfly load` makes: `tables/{schema}/{table}/`.
pub fn loaded(schema: &str, table: &str) -> String {
    format!("{TABLES}{schema}/{table}/")
}

#[cfg(test)]
mod tests;
