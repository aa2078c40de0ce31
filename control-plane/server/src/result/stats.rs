//! Statistics of a statement. Splits are tasks, nodes are live invocations, wall time is billed time.

use super::cost::Cost;
use crate::clock;
use crate::query::{Phase, View};
use mayfly_protocol::EpochMs;
use serde::Serialize;

/// Figures that clients expect never to fall, although a task whose output was lost counts as undone again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    total: u64,
    done: u64,
    wall_ms: u64,
    rows: u64,
    bytes: u64,
    read_bytes: u64,
    written_bytes: u64,
    spilled_bytes: u64,
    elapsed_ms: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    state: &'static str,
    queued: bool,
    scheduled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress_percentage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    running_percentage: Option<f64>,
    nodes: u32,
    total_splits: u32,
    queued_splits: u32,
    running_splits: u32,
    completed_splits: u32,
    planning_time_millis: u64,
    analysis_time_millis: u64,
    cpu_time_millis: u64,
    wall_time_millis: u64,
    queued_time_millis: u64,
    elapsed_time_millis: u64,
    finishing_time_millis: u64,
    physical_input_time_millis: u64,
    processed_rows: u64,
    processed_bytes: u64,
    physical_input_bytes: u64,
    physical_written_bytes: u64,
    internal_network_input_bytes: u64,
    peak_memory_bytes: u64,
    spilled_bytes: u64,
    pub mayfly: Cost,
}

impl Stats {
    /// Raises `counters` to the figures of `view`.
    pub fn new(view: &View, counters: &mut Counters) -> Stats {
        counters.raise(view);
        let now = clock::now();
        let running = view
            .stages
            .iter()
            .map(|stage| u64::from(stage.tasks_running))
            .sum::<u64>();
        let queued = view
            .stages
            .iter()
            .map(|stage| u64::from(stage.tasks_queued))
            .sum::<u64>();
        let planning = view
            .planning_since
            .map_or(0, |since| span_ms(since, view.planned_at.unwrap_or(now)));
        let percent = |part: u64| (counters.total > 0).then(|| part as f64 * 100.0 / counters.total as f64);
        Stats {
            state: view.phase.name(),
            queued: view.phase == Phase::Queued,
            scheduled: view.planned_at.is_some(),
            progress_percentage: percent(counters.done),
            running_percentage: percent(running.min(counters.total)),
            nodes: int(running),
            total_splits: int(counters.total),
            queued_splits: int(queued),
            running_splits: int(running),
            completed_splits: int(counters.done),
            planning_time_millis: planning,
            analysis_time_millis: planning,
            // An executor is billed by the wall clock, whether its CPU worked or waited.
            cpu_time_millis: counters.wall_ms,
            wall_time_millis: counters.wall_ms,
            queued_time_millis: span_ms(view.created_at, view.planning_since.unwrap_or(now)),
            elapsed_time_millis: counters.elapsed_ms,
            finishing_time_millis: 0,
            physical_input_time_millis: 0,
            processed_rows: counters.rows,
            processed_bytes: counters.bytes,
            physical_input_bytes: counters.read_bytes,
            physical_written_bytes: counters.written_bytes,
            internal_network_input_bytes: 0,
            peak_memory_bytes: 0,
            spilled_bytes: counters.spilled_bytes,
            mayfly: Cost::new(view, &view.meter()),
        }
    }
}

impl Counters {
    fn raise(&mut self, view: &View) {
        let meter = view.meter();
        let sum = |figure: fn(&crate::engine::StageProgress) -> u64| view.stages.iter().map(figure).sum::<u64>();
        let raise = |counter: &mut u64, seen: u64| *counter = seen.max(*counter);
        raise(&mut self.total, sum(|stage| u64::from(stage.tasks)));
        raise(&mut self.done, sum(|stage| u64::from(stage.tasks_done)));
        raise(&mut self.wall_ms, meter.billed_ms);
        raise(&mut self.rows, sum(|stage| stage.rows_in));
        raise(&mut self.bytes, sum(|stage| stage.bytes_in));
        raise(&mut self.read_bytes, meter.s3.bytes_read);
        raise(&mut self.written_bytes, meter.s3.bytes_written);
        raise(&mut self.spilled_bytes, sum(|stage| stage.spilled_bytes));
        raise(&mut self.elapsed_ms, span_ms(view.created_at, clock::now()));
    }
}

fn span_ms(from: EpochMs, to: EpochMs) -> u64 {
    to.0.saturating_sub(from.0)
}

/// Clients read these as 32-bit signed integers.
fn int(value: u64) -> u32 {
    u32::try_from(value.min(i32::MAX as u64)).expect("below 2^31")
}
