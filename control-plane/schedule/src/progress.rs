//! How far a query is: what servers and terminals show while it runs. Never an input to a decision.

use mayfly_protocol::{Digest, ExchangeKind, Meter, StageId, TaskStatistics};
use serde::{Deserialize, Serialize};

/// A snapshot of one query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// In the graph's order: producers before consumers, the result last.
    pub stages: Vec<StageProgress>,
}

/// A snapshot of one stage. `planned + queued + running + done + skipped` is the number of its tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    pub stage: StageId,
    pub exchange: ExchangeKind,
    /// Digest of the plan that it runs, if that is another that its graph has for it.
    pub alternative: Option<Digest>,
    /// Stages that it reads.
    pub inputs: Vec<StageId>,
    /// Waiting for inputs.
    pub planned: u32,
    /// Waiting for a slot, or for a backoff to pass.
    pub queued: u32,
    pub running: u32,
    pub done: u32,
    /// Not wanted: others had rows enough.
    pub skipped: u32,
    /// Attempts launched, whatever became of them.
    pub attempts: u32,
    pub failed_attempts: u32,
    /// Second attempts beside stragglers, and those of them that won.
    pub copies: u32,
    pub copies_won: u32,
    /// Rows and encoded bytes that the winners published.
    pub rows_out: u64,
    pub bytes_out: u64,
    /// Sums over winners; the memory peak is the largest.
    pub statistics: TaskStatistics,
    /// Of a complete stage.
    pub skew: Option<Skew>,
    /// Over all attempts so far.
    pub meter: Meter,
    /// Of that, over copies.
    pub speculated: Meter,
}

/// How unlike the tasks of a stage are: of time and of rows that they published, the median and the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skew {
    pub elapsed_ms_median: u64,
    pub elapsed_ms_max: u64,
    pub rows_median: u64,
    pub rows_max: u64,
}

impl StageProgress {
    pub fn tasks(&self) -> u32 {
        self.planned + self.queued + self.running + self.done + self.skipped
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

/// Of each task its time and its rows.
pub(crate) fn skew(tasks: &[(u64, u64)]) -> Skew {
    let (mut times, mut rows): (Vec<u64>, Vec<u64>) = tasks.iter().copied().unzip();
    times.sort_unstable();
    rows.sort_unstable();
    let median = |sorted: &[u64]| sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0);
    let most = |sorted: &[u64]| sorted.last().copied().unwrap_or(0);
    Skew {
        elapsed_ms_median: median(&times),
        elapsed_ms_max: most(&times),
        rows_median: median(&rows),
        rows_max: most(&rows),
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
    sum.read_ms += one.read_ms;
    sum.write_ms += one.write_ms;
}
