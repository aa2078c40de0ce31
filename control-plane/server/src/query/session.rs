//! Session properties that the server itself obeys. The rest is the planner's.

use crate::quantity;
use mayfly_protocol::{ErrorCode, QueryError};
use std::collections::BTreeMap;
use std::time::Duration;

/// A final MAYFLY_COST warning tells the price also in clients that show no statistics.
const COST_WARNING: &str = "cost_warning";
/// Ours and Trino's; the shortest holds.
const RUN_DURATIONS: [&str; 3] = ["max_run_time", "query_max_run_time", "query_max_execution_time"];

/// How long the query may run, and the property that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLimit {
    pub duration: Duration,
    /// As messages name it: `max_run_time=5s`.
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    pub cost_warning: bool,
    pub run_limit: Option<RunLimit>,
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
            run_limit: run_limit(session)?,
        })
    }
}

fn run_limit(session: &BTreeMap<String, String>) -> Result<Option<RunLimit>, QueryError> {
    let given = RUN_DURATIONS.iter().filter_map(|key| Some((key, session.get(*key)?)));
    let parsed = given.map(|(key, text)| {
        let duration = quantity::duration(text).ok_or_else(|| invalid(key, text))?;
        let name = format!("{key}={text}");
        Ok(RunLimit { duration, name })
    });
    let parsed: Vec<RunLimit> = parsed.collect::<Result<_, _>>()?;
    Ok(parsed.into_iter().min_by_key(|limit| limit.duration))
}

fn invalid(key: &str, value: &str) -> QueryError {
    QueryError::new(
        ErrorCode::InvalidSessionProperty,
        format!("session property {key} cannot be '{value}'"),
    )
}
