//! How far a query is: what servers and terminals show while it runs. Never an input to a decision.

use mayfly_protocol::{ExchangeKind, Meter, StageId, TaskStatistics};
use serde::{Deserialize, Serialize};

/// A snapshot of one query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// In the graph's order: producers before consumers, the result last.
    pub stages: Vec<StageProgress>,
}

/// A snapshot of one stage. `planned + queued + running + done` is the number of its tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    pub stage: StageId,
    pub exchange: ExchangeKind,
    /// Stages that it reads.
    pub inputs: Vec<StageId>,
    /// Waiting for inputs.
    pub planned: u32,
    /// Waiting for a slot, or for a backoff to pass.
    pub queued: u32,
    pub running: u32,
    pub done: u32,
    /// Attempts launched, whatever became of them.
    pub attempts: u32,
    pub failed_attempts: u32,
    /// Rows and encoded bytes that the winners published.
    pub rows_out: u64,
    pub bytes_out: u64,
    /// Sums over winners; the memory peak is the largest.
    pub statistics: TaskStatistics,
    /// Over all attempts so far.
    pub meter: Meter,
}

impl StageProgress {
    pub fn tasks(&self) -> u32 {
        self.planned + self.queued + self.running + self.done
    }
}

impl Progress {
    pub fn tasks(&self) -> u32 {
        self.stages.iter().map(StageProgress::tasks).sum()
    }

    pub fn done(&self) -> u32 {
        self.stages.iter().map(|stage| stage.done).sum()
    }

    pub fn running(&self) -> u32 {
        self.stages.iter().map(|stage| stage.running).sum()
    }

    pub fn meter(&self) -> Meter {
        self.stages.iter().map(|stage| stage.meter).sum()
    }
}

/// Adds a winner's statistics to a stage's.
pub(crate) fn add(sum: &mut TaskStatistics, one: &TaskStatistics) {
    sum.rows_scanned += one.rows_scanned;
    sum.bytes_scanned += one.bytes_scanned;
    sum.rows_read += one.rows_read;
    sum.rows_written += one.rows_written;
    sum.spilled_bytes += one.spilled_bytes;
    sum.memory_peak_bytes = sum.memory_peak_bytes.max(one.memory_peak_bytes);
    sum.cpu_ms += one.cpu_ms;
    sum.elapsed_ms += one.elapsed_ms;
}
