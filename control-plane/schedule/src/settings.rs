//! What an operator may choose. Bounds that other processes share are in `mayfly_protocol::limits`.

use crate::Speculation;
use mayfly_protocol::{FunctionSize, TenantId, limits};

/// Settings of one scheduler. All durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Attempts in flight at once, over all queries. Throttling lowers the working limit below this, never above.
    pub concurrency_max: u32,
    /// Attempts beside those, each of a query that has none in flight: where all slots are taken for long, what is quick still ends soon.
    /// None of them runs longer than `short_turn_ms`; a query that has run out of that waits for a slot like the others.
    pub short_turns_max: u32,
    pub short_turn_ms: u64,
    pub tenant: TenantId,
    /// The control bucket: outputs and large plans are written there.
    pub bucket: String,
    /// An attempt's time to finish: four times as much after each attempt that ran short of memory or out of time, and always cut to
    /// the query's deadline and to Lambda's longest run.
    pub task_duration_ms: u64,
    /// How long after an attempt's deadline its answer is awaited before it counts as lost. Above the driver's own five seconds.
    pub answer_grace_ms: u64,
    /// Attempts at one task of which the last may fail for a transient reason.
    pub transient_attempts_max: u32,
    /// Transient failures of one query: `max(retries_min, retries_percent % of its tasks)`.
    pub retries_min: u32,
    pub retries_percent: u32,
    /// Full jitter below `backoff_ms × 2^k`, capped.
    pub backoff_ms: u64,
    pub backoff_ms_max: u64,
    /// Lost environments that one task survives.
    pub environments_lost_max: u32,
    /// Crashes of one task at which its query fails.
    pub crashes_max: u32,
    /// Times that one task's output may be found lost.
    pub input_lost_max: u32,
    /// A query of which nothing but failures was seen for so long fails: the fleet is dead.
    pub fleet_dead_ms: u64,
    /// Winners of one query that the journal does not know, at which it is told: they are lost with their coordinator, or must be
    /// looked for among objects. A hundred keeps the journal at a hundredth of the PUTs that the tasks themselves make.
    pub journal_wins_max: u32,
    /// Billed megabyte-milliseconds of unjournaled winners that no object holds, at which the journal is told: that work would be
    /// done again. Ten minutes of the smallest function cost $0.017, more than 3,000 PUTs; less would let a query of long tasks write
    /// more than one record per hundred of them.
    pub journal_risk_mb_ms_max: u64,
    /// Starts of a query, the first included, without a winner in its journal between them; the next one ends it.
    pub starts_max: u32,
    /// When a straggler gets a copy; none never gives one.
    pub speculation: Option<Speculation>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            concurrency_max: 100,
            short_turns_max: 0,
            short_turn_ms: 10_000,
            tenant: TenantId::default(),
            bucket: "mayfly".to_owned(),
            task_duration_ms: 60_000,
            answer_grace_ms: 10_000,
            transient_attempts_max: limits::TRANSIENT_ATTEMPTS_MAX,
            retries_min: 20,
            retries_percent: 20,
            backoff_ms: 100,
            backoff_ms_max: 5_000,
            environments_lost_max: limits::ENVIRONMENTS_LOST_MAX,
            crashes_max: limits::CRASHES_MAX,
            input_lost_max: limits::INPUT_LOST_MAX,
            fleet_dead_ms: 60_000,
            journal_wins_max: 100,
            journal_risk_mb_ms_max: 600_000 * FunctionSize::One.memory_mb() as u64,
            starts_max: 3,
            speculation: Some(Speculation::default()),
        }
    }
}

impl Settings {
    /// Short turns beside so many slots: one for each sixteen of them, and one at least.
    pub const fn short_turns(concurrency_max: u32) -> u32 {
        concurrency_max.div_ceil(16)
    }

    /// Transient failures that a query of so many tasks may have; rounded up.
    pub fn retries_max(&self, tasks: usize) -> u32 {
        let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
        let share = (u64::from(tasks) * u64::from(self.retries_percent)).div_ceil(100);
        self.retries_min.max(u32::try_from(share).unwrap_or(u32::MAX))
    }
}
