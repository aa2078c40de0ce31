//! What planning a statement yields: stages to run, rows that are known already, or a change.

use crate::SessionChange;
use crate::learn::Lesson;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use mayfly_protocol::{Digest, StageGraph, StageId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A planned statement.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "one lives per statement, never in a collection"
)]
pub enum Planned {
    /// To be run by executors.
    Query(PlannedQuery),
    /// Answered in the control plane: no table row was needed.
    Rows {
        schema: SchemaRef,
        columns: Vec<String>,
        batches: Vec<RecordBatch>,
    },
    /// Done already, as far as the catalog goes; the session's changes are the client's to keep.
    Update {
        /// As Trino's protocol names it, e.g. `CREATE TABLE`.
        update_type: Cow<'static, str>,
        session: Vec<SessionChange>,
    },
}

/// A query cut into stages.
#[derive(Debug)]
pub struct PlannedQuery {
    pub graph: StageGraph,
    /// Arrow schema of the result.
    pub schema: SchemaRef,
    /// Names of the result's columns as the user shall see them; they may repeat.
    pub columns: Vec<String>,
    pub text: PlanText,
    /// One per stage, the result first.
    pub fragments: Vec<Fragment>,
    pub purpose: Purpose,
    /// Cap on each task's memory pool that the session asked for.
    pub memory_bytes_max: Option<u64>,
    /// Rows of the result that the session allows.
    pub result_rows_max: Option<u64>,
}

/// What a query is run for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Its rows.
    Rows,
    /// EXPLAIN ANALYZE: its fragments, and what became of them.
    Explain,
    /// ANALYZE TABLE: what its one row says of a table.
    Learn(Lesson),
}

/// A stage as planned, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    pub stage: StageId,
    /// As `EXPLAIN (TYPE DISTRIBUTED)` shows it.
    pub text: String,
    /// The same of the plans that are taken if an input turns out small.
    pub alternatives: Vec<OtherText>,
    pub tasks: u32,
    /// Encoded bytes that the stage is expected to publish.
    pub bytes_out: u64,
}

/// Another plan of a stage, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherText {
    /// Of the plan's bytes.
    pub plan: Digest,
    pub text: String,
}

/// The plan at each step, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanText {
    pub logical: String,
    /// As DataFusion optimized it, before any rewrite of ours.
    pub physical: String,
    /// Name and outcome of each rewrite, in order.
    pub rewrites: Vec<(&'static str, String)>,
    /// Stages, tasks and exchanges, as `EXPLAIN (TYPE DISTRIBUTED)` shows them.
    pub distributed: String,
}
