//! Whether a query was really distributed, by its plan: a ratio says nothing about distribution when one task did all the work.

use mayfly_end_to_end::client::Client;
use std::path::Path;

/// Queries over a table beyond this size must read their tables by at least [`LEAF_TASKS_MIN`] tasks.
const LARGE_TABLE_BYTES: u64 = 512 << 20;
const LEAF_TASKS_MIN: u64 = 8;

/// One stage, as EXPLAIN shows it.
#[derive(Debug, Default, PartialEq)]
struct Fragment {
    tasks: u64,
    /// Tables that it scans.
    tables: Vec<String>,
    inputs: usize,
    /// Joins, and the second halves of aggregations.
    meets: usize,
}

/// Panics unless the query's tables are small, or the largest is read by many tasks and each join and GROUP BY beside it reads an exchange. `files`: one
/// folder per table.
pub async fn check(client: &Client, number: u32, sql: &str, files: &Path) {
    let answer = client.query(&format!("EXPLAIN (TYPE DISTRIBUTED) {sql}")).await;
    let answer = answer.unwrap_or_else(|error| panic!("q{number}: {error:?}"));
    let lines: Vec<String> = answer.table.rows.into_iter().flatten().flatten().collect();
    let text = lines.join("\n");
    let fault = fault(&fragments(&text), |table| folder_bytes(&files.join(table)));
    assert_eq!(fault, None, "q{number} was not distributed:\n{text}");
}

fn fault(fragments: &[Fragment], bytes: impl Fn(&str) -> u64) -> Option<String> {
    let tables = fragments.iter().flat_map(|fragment| &fragment.tables);
    let largest = tables.max_by_key(|table| bytes(table))?;
    let leaves = fragments.iter().filter(|fragment| !fragment.tables.is_empty());
    let leaf_tasks: u64 = leaves.map(|fragment| fragment.tasks).sum();
    if bytes(largest) <= LARGE_TABLE_BYTES {
        return None;
    }
    if leaf_tasks < LEAF_TASKS_MIN {
        return Some(format!(
            "{leaf_tasks} tasks read tables, the largest of which is {largest}"
        ));
    }
    // Small tables may meet where they are read: nation and supplier, say.
    let is_large = |fragment: &&Fragment| fragment.tables.iter().any(|table| bytes(table) > LARGE_TABLE_BYTES);
    let alone = fragments
        .iter()
        .filter(is_large)
        .find(|fragment| fragment.meets > 0 && fragment.inputs == 0);
    alone.map(|fragment| format!("a join or a GROUP BY reads no exchange: {fragment:?}"))
}

fn fragments(text: &str) -> Vec<Fragment> {
    let mut fragments = Vec::new();
    for line in text.lines() {
        if line.starts_with("Fragment ") {
            let tasks = line.rsplit_once("tasks=").and_then(|(_, tasks)| tasks.parse().ok());
            fragments.push(Fragment {
                tasks: tasks.expect("a fragment tells its tasks"),
                ..Fragment::default()
            });
        } else if let Some(fragment) = fragments.last_mut() {
            fragment.read(line.trim_start());
        }
    }
    fragments
}

impl Fragment {
    fn read(&mut self, line: &str) {
        if let Some(scan) = line.strip_prefix("Scan: ") {
            let name = scan.split_whitespace().next().unwrap_or_default();
            self.tables.extend(name.rsplit('.').next().map(str::to_owned));
        }
        self.inputs += usize::from(line.starts_with("Input "));
        let joins = line.contains("JoinExec");
        let groups = line.starts_with("AggregateExec: mode=") && !line.starts_with("AggregateExec: mode=Partial");
        self.meets += usize::from(joins || groups);
    }
}

fn folder_bytes(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| file.metadata().ok())
        .map(|file| file.len())
        .sum()
}

#[cfg(test)]
mod tests;
