//! Session properties that the server itself obeys, and those of Trino's that mean nothing here. The rest is the planner's.

use crate::quantity;
use mayfly_protocol::{ErrorCode, QueryError};
use std::collections::BTreeMap;
use std::time::Duration;

/// A final MAYFLY_COST warning tells the price also in clients that show no statistics.
const COST_WARNING: &str = "cost_warning";
/// Ours and Trino's; the shorter one holds.
const RUN_DURATIONS: [&str; 2] = ["max_run_time", "query_max_run_time"];

/// Tools set these for Trino whatever they talk to.
const IGNORED: [&str; 6] = [
    "query_max_execution_time",
    "query_max_cpu_time",
    "query_max_planning_time",
    "query_priority",
    "resource_overcommit",
    "spooling_enabled",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    pub cost_warning: bool,
    pub run_duration_max: Option<Duration>,
}

impl SessionSettings {
    pub fn read(session: &BTreeMap<String, String>) -> Result<SessionSettings, QueryError> {
        let warning = session.get(COST_WARNING).map(|text| text.to_ascii_lowercase());
        Ok(SessionSettings {
            cost_warning: match warning.as_deref() {
                None | Some("false") => false,
                Some("true") => true,
                Some(other) => return Err(invalid(COST_WARNING, other)),
            },
            run_duration_max: run_duration(session)?,
        })
    }
}

fn run_duration(session: &BTreeMap<String, String>) -> Result<Option<Duration>, QueryError> {
    let given = RUN_DURATIONS.iter().filter_map(|key| Some((key, session.get(*key)?)));
    let parsed = given.map(|(key, text)| quantity::duration(text).ok_or_else(|| invalid(key, text)));
    let parsed: Vec<Duration> = parsed.collect::<Result<_, _>>()?;
    Ok(parsed.into_iter().min())
}

/// What the planner shall see.
pub fn for_planner(session: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    session
        .iter()
        .filter(|(key, _)| !IGNORED.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn invalid(key: &str, value: &str) -> QueryError {
    QueryError::new(
        ErrorCode::InvalidSessionProperty,
        format!("session property {key} cannot be '{value}'"),
    )
}
