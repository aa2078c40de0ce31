//! Session properties: which there are, what values they take, and which of Trino's are accepted and mean nothing here.

use crate::quantity;
use mayfly_catalog::nearest;
use mayfly_protocol::{ErrorCode, QueryError};
use std::collections::BTreeMap;

/// Most DataFusion partitions inside one task.
const TARGET_PARTITIONS_MAX: u64 = 256;

/// A property as SHOW SESSION lists it.
#[derive(Clone, Copy)]
pub(crate) struct Described {
    pub name: &'static str,
    pub r#type: &'static str,
    pub description: &'static str,
}

const KNOWN: [Described; 16] = [
    Described {
        name: "cost_warning",
        r#type: "boolean",
        description: "Whether a warning at the end tells the query's price",
    },
    Described {
        name: "max_result_rows",
        r#type: "bigint",
        description: "Rows of the result beyond which a query fails",
    },
    Described {
        name: "max_run_time",
        r#type: "varchar",
        description: "Time after which a query fails, e.g. 5m",
    },
    Described {
        name: "max_scan_bytes",
        r#type: "varchar",
        description: "A query that would read more of its tables is refused, e.g. 10GB",
    },
    Described {
        name: "max_stages",
        r#type: "bigint",
        description: "A query of more stages is refused",
    },
    Described {
        name: "max_task_memory",
        r#type: "varchar",
        description: "Cap on each task's memory pool, e.g. 512MB",
    },
    Described {
        name: "max_tasks",
        r#type: "bigint",
        description: "A query of more tasks is refused",
    },
    Described {
        name: "query_max_execution_time",
        r#type: "varchar",
        description: "Trino's name for max_run_time; the shortest holds",
    },
    Described {
        name: "query_max_memory",
        r#type: "varchar",
        description: "Trino's; caps each task's memory pool, as max_task_memory does; the smallest holds",
    },
    Described {
        name: "query_max_memory_per_node",
        r#type: "varchar",
        description: "Trino's name for max_task_memory; the smallest holds",
    },
    Described {
        name: "query_max_run_time",
        r#type: "varchar",
        description: "Trino's name for max_run_time; the shortest holds",
    },
    Described {
        name: "query_max_scan_physical_bytes",
        r#type: "varchar",
        description: "Trino's name for max_scan_bytes; the smallest holds",
    },
    Described {
        name: "query_max_stage_count",
        r#type: "bigint",
        description: "Trino's name for max_stages; the smallest holds",
    },
    Described {
        name: "query_max_total_memory",
        r#type: "varchar",
        description: "Trino's; caps each task's memory pool, as max_task_memory does; the smallest holds",
    },
    Described {
        name: "target_partitions",
        r#type: "bigint",
        description: "DataFusion partitions inside each task",
    },
    Described {
        name: "target_task_bytes",
        r#type: "varchar",
        description: "Input bytes per task; tiny values force many tasks at every stage",
    },
];

/// Properties of Trino that clients and tools set by themselves. They choose among ways to an answer; here there is one way.
const ACCEPTED: [&str; 14] = [
    "distributed_sort",
    "execution_policy",
    "join_distribution_type",
    "join_reordering_strategy",
    "optimize_hash_generation",
    "query_priority",
    "redistribute_writes",
    "resource_overcommit",
    "retry_policy",
    "scale_writers",
    "spill_enabled",
    "spooling_enabled",
    "task_concurrency",
    "writer_min_size",
];

/// All that SHOW SESSION lists.
pub(crate) fn all() -> impl Iterator<Item = Described> {
    let accepted = ACCEPTED.map(|name| Described {
        name,
        r#type: "varchar",
        description: "Trino's; accepted, and changes nothing",
    });
    KNOWN.into_iter().chain(accepted)
}

/// Properties of Trino that guard what is not guarded here: who sets one must hear it.
const REFUSED: [(&str, &str); 3] = [
    ("query_max_cpu_time", "max_run_time limits the time"),
    (
        "query_max_planning_time",
        "max_run_time limits the time, planning included",
    ),
    (
        "query_max_total_memory_per_node",
        "max_task_memory caps the memory of each task",
    ),
];

/// The properties that a statement is planned with; `None` leaves it to the planner's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    pub target_task_bytes: Option<u64>,
    pub target_partitions: Option<u32>,
    pub max_task_memory_bytes: Option<u64>,
    pub max_scan_bytes: Option<u64>,
    pub max_stages: Option<u64>,
    pub max_tasks: Option<u64>,
    pub max_result_rows: Option<u64>,
}

/// Checks all properties of a session.
pub(crate) fn parse(properties: &BTreeMap<String, String>) -> Result<Properties, QueryError> {
    let mut parsed = Properties::default();
    properties
        .iter()
        .try_for_each(|(key, value)| parsed.set(&key.to_lowercase(), value))?;
    Ok(parsed)
}

/// Checks one property, as SET SESSION does.
pub(crate) fn check(key: &str, value: &str) -> Result<(), QueryError> {
    Properties::default().set(&key.to_lowercase(), value)
}

/// Checks that there is such a property, as RESET SESSION does.
pub(crate) fn check_name(key: &str) -> Result<(), QueryError> {
    let key = key.to_lowercase();
    let known = KNOWN.iter().any(|known| known.name == key) || ACCEPTED.contains(&key.as_str());
    if known { Ok(()) } else { Err(unknown(&key)) }
}

impl Properties {
    fn set(&mut self, key: &str, value: &str) -> Result<(), QueryError> {
        let key = key.rsplit('.').next().unwrap_or(key);
        match key {
            "target_task_bytes" => self.target_task_bytes = Some(bytes(key, value)?),
            "max_task_memory" | "query_max_memory" | "query_max_memory_per_node" | "query_max_total_memory" => {
                lower(&mut self.max_task_memory_bytes, bytes(key, value)?);
            }
            "max_scan_bytes" | "query_max_scan_physical_bytes" => lower(&mut self.max_scan_bytes, bytes(key, value)?),
            "max_stages" | "query_max_stage_count" => lower(&mut self.max_stages, count(key, value)?),
            "max_tasks" => self.max_tasks = Some(count(key, value)?),
            "max_result_rows" => self.max_result_rows = Some(count(key, value)?),
            // The server obeys these.
            "max_run_time" | "query_max_run_time" | "query_max_execution_time" => duration(key, value)?,
            "cost_warning" => boolean(key, value)?,
            "target_partitions" => self.target_partitions = Some(partitions(key, value)?),
            _ if ACCEPTED.contains(&key) => {}
            _ if REFUSED.iter().any(|(name, _)| *name == key) => return Err(refused(key)),
            _ => return Err(unknown(key)),
        }
        Ok(())
    }
}

/// Of several limits on one thing the lowest holds.
fn lower(limit: &mut Option<u64>, value: u64) {
    *limit = Some(limit.map_or(value, |known| known.min(value)));
}

fn refused(key: &str) -> QueryError {
    let instead = REFUSED
        .iter()
        .find(|(name, _)| *name == key)
        .map_or("", |(_, instead)| instead);
    let message = format!("Session property '{key}' is not supported: Mayfly does not guard it");
    QueryError::new(ErrorCode::NotSupported, message).hint(instead)
}

fn unknown(key: &str) -> QueryError {
    let message = format!("Session property '{key}' does not exist");
    let error = QueryError::new(ErrorCode::InvalidSessionProperty, message);
    match nearest(key, KNOWN.iter().map(|known| known.name)) {
        Some(close) => error.hint(format!("did you mean '{close}'?")),
        None => error,
    }
}

fn invalid(key: &str, value: &str, expected: &str) -> QueryError {
    let message = format!("{key} cannot be '{value}': it is {expected}");
    QueryError::new(ErrorCode::InvalidSessionProperty, message)
}

fn partitions(key: &str, value: &str) -> Result<u32, QueryError> {
    let expected = format!("a number from 1 to {TARGET_PARTITIONS_MAX}");
    let refuse = || invalid(key, value, &expected);
    let number: u64 = value.trim().parse().map_err(|_| refuse())?;
    if (1..=TARGET_PARTITIONS_MAX).contains(&number) {
        Ok(number as u32)
    } else {
        Err(refuse())
    }
}

fn bytes(key: &str, value: &str) -> Result<u64, QueryError> {
    quantity::bytes(value).ok_or_else(|| invalid(key, value, "a number of bytes such as 64MiB, 1MB or 500000"))
}

fn count(key: &str, value: &str) -> Result<u64, QueryError> {
    let number = value.trim().parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| invalid(key, value, "a whole number from 1"))
}

fn duration(key: &str, value: &str) -> Result<(), QueryError> {
    let some = quantity::duration(value).filter(|duration| !duration.is_zero());
    some.map(|_| ())
        .ok_or_else(|| invalid(key, value, "a duration such as 30s, 5m or 1.5h"))
}

fn boolean(key: &str, value: &str) -> Result<(), QueryError> {
    match value.to_lowercase().as_str() {
        "true" | "false" => Ok(()),
        _ => Err(invalid(key, value, "true or false")),
    }
}

#[cfg(test)]
mod tests;
