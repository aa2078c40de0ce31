//! What the server needs from the engine behind it: a port that planner and driver are plugged into, and that tests fill with canned
//! answers. Leaves out how a query is planned and run.

mod pages;
mod status;

pub use pages::{Pages, Position, RowBatches};
pub use status::{Journaled, StageProgress, State, Status};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use mayfly_cost::Bill;
use mayfly_protocol::journal::Request;
use mayfly_protocol::{EpochMs, QueryError, QueryId};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Plans and runs queries.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Plans a query and starts it. Called at most once per id, at the client's first poll. Returns once the query is planned, or soon
    /// after `stop`. `memo` is kept with the query for [`Engine::recover`].
    async fn submit(&self, id: QueryId, request: Request, memo: String, stop: CancellationToken) -> Submission;

    /// A query that another server accepted, or an earlier life of this one; none if nobody did. It runs, or will be run, or has ended.
    async fn recover(&self, id: &QueryId) -> Result<Option<Recovered>, QueryError>;

    /// Whether what every query needs can be reached. May take as long as it likes: who asks gives up.
    async fn is_ready(&self) -> bool;
}

/// A query that was accepted elsewhere.
pub struct Recovered {
    pub accepted_at: EpochMs,
    /// What the server that submitted it wanted to be kept.
    pub memo: String,
    /// [`Answer::Query`], or why it cannot be shown here.
    pub answer: Result<Answer, QueryError>,
}

/// What became of a submitted statement, and what it cost so far to find out.
pub struct Submission {
    pub answer: Result<Answer, QueryError>,
    /// Final for [`Answer::Rows`], [`Answer::Update`] and errors; [`Answer::Query`] has its own in [`Status::bill`].
    pub bill: Option<Bill>,
}

impl Submission {
    pub fn of(answer: impl Into<Result<Answer, QueryError>>) -> Submission {
        let answer = answer.into();
        Submission { answer, bill: None }
    }
}

impl From<Answer> for Result<Answer, QueryError> {
    fn from(answer: Answer) -> Result<Answer, QueryError> {
        Ok(answer)
    }
}

/// The three kinds of statement.
pub enum Answer {
    /// Runs on executors; rows come when it has finished.
    Query {
        columns: Columns,
        /// The distributed plan as text.
        plan: String,
        query: Arc<dyn RunningQuery>,
    },
    /// Answered in the control plane.
    Rows { columns: Columns, rows: Arc<dyn Pages> },
    /// Changes something and has no rows. `update_type` as Trino names it: `CREATE TABLE`, `USE`, `SET SESSION`.
    Update {
        update_type: String,
        changes: Vec<SessionChange>,
    },
}

/// Names as shown (they may repeat) and Arrow types of a result's columns, in step.
#[derive(Clone, Debug)]
pub struct Columns {
    pub names: Vec<String>,
    pub schema: SchemaRef,
}

impl Columns {
    /// Columns that are shown under the schema's own names.
    pub fn of(schema: SchemaRef) -> Columns {
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        Columns { names, schema }
    }
}

/// State that the client keeps for the session and sends back with each statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    SetCatalog(String),
    SetSchema(String),
    SetProperty { key: String, value: String },
    ResetProperty { key: String },
}

/// A query that executors work on, or worked on.
#[async_trait]
pub trait RunningQuery: Send + Sync + 'static {
    fn status(&self) -> Status;

    /// Waits until the query has ended or `timeout` has passed, whichever is first.
    async fn ended(&self, timeout: Duration) -> Status;

    /// Stops the query. Without effect once it has ended.
    fn cancel(&self);

    /// Nobody will read rows any more: result objects may go. May be called more than once.
    fn release(&self);

    /// The rows, once [`State::Finished`]; none before.
    fn rows(&self) -> Option<Arc<dyn Pages>>;
}
