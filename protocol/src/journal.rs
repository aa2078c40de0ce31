//! The journal of one query: what must survive its coordinator. Records are objects, created if absent, in sequence; nothing else is
//! a lock. What a list of records means is `schedule`'s to say.
//!
//! ```text
//! j/{tenant}/{query}/00000000   Accepted, Epoch 1   request, limits, graph
//! j/{tenant}/{query}/00000001…  Epoch, Beat, Regrouped, Switched, Won, Lost, Cancel
//! j/{tenant}/{query}/{last}     Won…, Final         how it ended, and what it cost
//! ```
//! The keys are spelled by [`key::journal`](crate::key::journal).

mod winner;

pub use winner::{Won, WonOutput};

use crate::{Alternative, EpochMs, Meter, Nonce, Output, QueryError, StageGraph, StageId, TaskId, TaskTemplate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub sql: String,
    pub user: String,
    pub source: Option<String>,
    pub catalog: Option<String>,
    pub schema: Option<String>,
    pub session: BTreeMap<String, String>,
    /// IANA name or offset; the server's default if the client named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    pub accepted_at: EpochMs,
    pub deadline: EpochMs,
}

/// What one query may use and yield; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryLimits {
    /// Bytes of each task's memory pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<u64>,
    /// Rows of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_rows_max: Option<u64>,
}

/// A query as it was accepted, with its plan: whoever resumes it needs no planner, and runs the very same tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    pub request: Request,
    pub limits: QueryLimits,
    pub graph: StageGraph,
    /// How the server shows the result; its own words, opaque to everybody else.
    pub presentation: String,
}

/// How a query ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The outputs of the root stage's tasks, in task order.
    Finished {
        root: StageId,
        outputs: Vec<Output>,
    },
    Failed {
        error: QueryError,
    },
    Canceled,
}

/// One journal record: what became durable together. Two appends never make equal records, so that a coordinator that reads its own
/// back knows it: `writer` is drawn anew for each query that it starts or resumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub writer: String,
    pub written_at: EpochMs,
    /// At least one, in the order in which they count.
    pub entries: Vec<Entry>,
    /// What the query has used until now, whoever owned it; none of who does not own it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Box<Meter>>,
}

/// One fact about a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    Accepted(Box<Accepted>),
    /// From here on the query is the writer's, and whoever owned it before is fenced.
    Epoch {
        epoch: u32,
        coordinator: String,
    },
    /// The owner lives, and had nothing else to say.
    Beat {
        epoch: u32,
    },
    /// The stage's tasks were formed anew; later entries mean these.
    Regrouped {
        stage: StageId,
        tasks: Vec<TaskTemplate>,
    },
    /// An alternative of the graph was taken.
    Switched {
        alternative: Box<Alternative>,
    },
    /// The task has a winner; void if it had one before, or if the pins are not those of the winners before it.
    Won(Box<Won>),
    /// The task's winner, this one, is none any more.
    Lost {
        task: TaskId,
        nonce: Nonce,
        why: String,
    },
    /// The user wants it no longer. The one entry that somebody else than the owner may write.
    Cancel,
    /// Nothing follows.
    Final {
        outcome: Box<Outcome>,
        meter: Box<Meter>,
    },
}
