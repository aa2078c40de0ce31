//! When an attempt straggles: it is late beside its finished siblings, and not because it had more to read. Figures only;
//! `query::speculate` launches the copy.
//!
//! ```text
//! elapsed   │ p75 of the finished │ × 1.4 │            a copy is worth it from the later of the two on
//! bytes/s   │ 0.8 × the median of the finished │
//! ```

use mayfly_protocol::{EpochMs, Meter};

/// Which attempts straggle, and what their copies may cost. Each copy is one more attempt that is billed, whoever wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speculation {
    /// Percent of a stage's tasks that have won before the others are compared with them.
    pub won_percent: u32,
    /// A stage of fewer tasks need not wait for that: the slowest finished task, times `small_percent`, is its predicted p99.
    pub small_tasks: u32,
    pub small_percent: u32,
    /// Of the finished tasks' p75: an attempt that has run for longer is late.
    pub elapsed_percent: u32,
    /// While more tasks are without a winner than may be copied, an attempt may run for so many percent of that: the few copies are
    /// for the slowest, and most of the others are about to end. Without it ordinary tasks take the copies of real stragglers.
    pub crowd_percent: u32,
    /// Nothing is late before.
    pub elapsed_ms_min: u64,
    /// Of the finished tasks' median of input bytes per second: a late attempt above it just has more to read.
    pub speed_percent: u32,
    /// Percent of a stage's tasks that may be copied, rounded down; one always may.
    pub tasks_percent: u32,
    /// All copies of a query may be billed so many percent of what it was billed so far, and `cost_mb_ms_min` on top. One in
    /// flight counts as the p75 of its siblings.
    pub cost_percent: u32,
    /// Megabytes × milliseconds. The default is five seconds of the smallest function, 0.015 cents.
    pub cost_mb_ms_min: u64,
}

/// Chosen by `mayfly-simulation --stragglers`: with 1.5 × p75, 0.7 of the speed and no crowd the p99 of queries with stragglers is
/// 1.32 times the clean one at a hundred slots, and worse at more, as tasks that are about to end take the copies; with these
/// it is 1.28 times, for as much money.
impl Default for Speculation {
    fn default() -> Speculation {
        Speculation {
            won_percent: 75,
            small_tasks: 8,
            small_percent: 300,
            elapsed_percent: 140,
            crowd_percent: 200,
            elapsed_ms_min: 500,
            speed_percent: 80,
            tasks_percent: 5,
            cost_percent: 5,
            cost_mb_ms_min: 5_000 * 1_769,
        }
    }
}

impl Speculation {
    /// Copies that a stage of so many tasks may have.
    pub fn copies_max(&self, tasks: usize) -> u32 {
        let share = tasks as u64 * u64::from(self.tasks_percent) / 100;
        u32::try_from(share).unwrap_or(u32::MAX).max(1)
    }

    /// Megabytes × milliseconds of all copies of a query that was billed so much.
    pub fn cost_mb_ms_max(&self, billed_mb_ms: u64) -> u64 {
        billed_mb_ms / 100 * u64::from(self.cost_percent) + self.cost_mb_ms_min
    }
}

/// What a stage's finished tasks took, and its copies.
#[derive(Debug, Default)]
pub(crate) struct StageSpeculation {
    /// From launch to report, ascending.
    elapsed_ms: Vec<u64>,
    /// Input bytes per second, ascending.
    speeds: Vec<u64>,
    pub copies: u32,
    pub won: u32,
    /// Of copies that have answered.
    pub meter: Meter,
    /// When all tasks were looked at last.
    pub looked_at: Option<EpochMs>,
    /// When the next attempt begins to straggle, or may.
    pub check_at: Option<EpochMs>,
}

impl StageSpeculation {
    /// A task has won.
    pub fn note(&mut self, elapsed_ms: u64, input_bytes: u64) {
        insert(&mut self.elapsed_ms, elapsed_ms);
        insert(&mut self.speeds, input_bytes.saturating_mul(1_000) / elapsed_ms.max(1));
    }

    pub fn elapsed_ms_p75(&self) -> Option<u64> {
        let nth = (self.elapsed_ms.len() * 75).div_ceil(100);
        self.elapsed_ms.get(nth.checked_sub(1)?).copied()
    }

    /// How long an attempt at so many bytes may run before it straggles; none while there is too little to compare with.
    pub fn patience_ms(&self, rule: &Speculation, tasks: usize, won: usize, input_bytes: u64) -> Option<u64> {
        let percent = |of: u64, percent: u32| of.saturating_mul(u64::from(percent)) / 100;
        let late = percent(self.elapsed_ms_p75()?, rule.elapsed_percent);
        let late = if mutant!(CopyEarly) { 0 } else { late };
        let patience = late.max(rule.elapsed_ms_min).max(self.reading_ms(rule, input_bytes));
        let is_crowded = tasks.saturating_sub(won) > rule.copies_max(tasks) as usize;
        let patience = if is_crowded && !mutant!(CopyInCrowd) {
            percent(patience, rule.crowd_percent)
        } else {
            patience
        };
        if won * 100 >= tasks * rule.won_percent as usize || mutant!(CopyBeforeMost) {
            return Some(patience);
        }
        let predicted = percent(*self.elapsed_ms.last()?, rule.small_percent);
        let predicted = if mutant!(CopySmallStageSoon) { 0 } else { predicted };
        (tasks < rule.small_tasks as usize).then(|| patience.max(predicted))
    }

    /// How long a task may read so much. Where nothing is known of bytes, time alone tells.
    fn reading_ms(&self, rule: &Speculation, input_bytes: u64) -> u64 {
        let median = self.speeds.get(self.speeds.len().saturating_sub(1) / 2);
        let slow = median.map_or(0, |median| median.saturating_mul(u64::from(rule.speed_percent)));
        input_bytes
            .saturating_mul(100_000)
            .checked_div(slow)
            .filter(|_| !mutant!(CopyWhatReadsMore))
            .unwrap_or(0)
    }
}

fn insert(ascending: &mut Vec<u64>, value: u64) {
    let place = ascending.partition_point(|other| *other <= value);
    ascending.insert(place, value);
}
