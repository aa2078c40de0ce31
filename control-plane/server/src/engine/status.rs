//! A running query at one moment, as the server shows it.

use mayfly_cost::Bill;
use mayfly_protocol::{Digest, ExchangeKind, Meter, QueryError, StageId, TaskStatistics};
use mayfly_schedule::Skew;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Accepted; no task was launched yet.
    Queued,
    Running,
    /// The outcome is durable and the rows can be read.
    Finished,
    Failed,
    Canceled,
}

impl State {
    pub const fn is_final(self) -> bool {
        matches!(self, State::Finished | State::Failed | State::Canceled)
    }
}

#[derive(Clone, Debug)]
pub struct Status {
    pub state: State,
    pub stages: Vec<StageProgress>,
    /// Attempts that are out: what they are billed is known when they answer.
    pub in_flight: u32,
    /// What attempts have left is yet to be looked for, which costs, too.
    pub sweep_due: bool,
    /// What the coordinator itself spent so far, and all that the query had used under earlier ones.
    pub coordinator: Meter,
    pub journal: Journaled,
    /// What it cost so far.
    pub bill: Option<Bill>,
    /// Present when the state is [`State::Failed`].
    pub error: Option<QueryError>,
}

/// Records written about the query, and how long writing them took in all.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Journaled {
    pub records: u32,
    pub duration_ms: f64,
}

/// How far one stage has come.
#[derive(Clone, Debug, Serialize)]
pub struct StageProgress {
    pub stage: StageId,
    /// How its rows reach the next stage.
    pub exchange: ExchangeKind,
    /// Digest of the plan that it runs, if that is another that was prepared for it, as an input turned out small.
    pub alternative: Option<Digest>,
    pub tasks: u32,
    pub tasks_queued: u32,
    pub tasks_running: u32,
    pub tasks_done: u32,
    /// Not wanted: others had rows enough.
    pub tasks_skipped: u32,
    pub attempts_failed: u32,
    /// Rows and bytes that finished tasks have read.
    pub rows_in: u64,
    pub bytes_in: u64,
    pub rows_out: u64,
    pub bytes_out: u64,
    pub spilled_bytes: u64,
    /// Attempts launched, whatever became of them.
    pub attempts: u32,
    /// Of these, second attempts at tasks that were late, and how many of them were faster.
    pub copies: u32,
    pub copies_won: u32,
    /// What the copies were billed.
    pub speculated: Meter,
    /// Sums over finished tasks; the memory peak is the largest.
    pub statistics: TaskStatistics,
    /// Of a complete stage.
    pub skew: Option<Skew>,
    /// Sum over all attempts so far, also failed ones.
    pub meter: Meter,
}
