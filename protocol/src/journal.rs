//! The journal of one query: what must survive its coordinator. Records are objects, created if absent, in sequence.
//!
//! ```text
//! j/{tenant}/{query}/00000000   Accepted   request, epoch 1
//! j/{tenant}/{query}/00000001…  Epoch, Beat, Win, Cancel
//! j/{tenant}/{query}/{last}     Final      how it ended, and what it cost
//! ```

use crate::{AttemptId, EpochMs, Meter, Output, QueryError, QueryId, StageId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was asked for: enough for another coordinator to plan the query again.
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

/// One journal record. `writer` tells a coordinator's own retried write from a rival's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub writer: String,
    pub written_at: EpochMs,
    pub entry: Entry,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    Accepted { request: Request },
    Epoch { epoch: u32 },
    Beat { epoch: u32 },
    Win { attempt: AttemptId, output: Output },
    Cancel,
    Final { outcome: Outcome, meter: Meter },
}

/// Key of a record: eight digits keep LIST in sequence order.
pub fn key(tenant: &TenantId, query: &QueryId, sequence: u32) -> String {
    format!("{}{sequence:08}", prefix(tenant, query))
}

/// What all records of a query share.
pub fn prefix(tenant: &TenantId, query: &QueryId) -> String {
    format!("j/{tenant}/{query}/")
}
