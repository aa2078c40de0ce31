//! Copies of stragglers: the second attempt of a task that runs, on the same inputs. One per task, few per stage, late enough, cheap
//! enough, and behind whoever waits for a slot. Everything is computed again from what was launched and answered.
//!
//! When an attempt is late, and what a copy costs, is judged where all answers are known in their order: the coordinator never stood
//! still, nothing was lost, and no answer came to an earlier one's order (which answer won is not known otherwise).

use crate::history::{History, Launch};
use crate::violation::{Rule, must};
use mayfly_protocol::{AttemptId, EpochMs, ProducerSlice, StageId, TaskId, TaskSpec};
use std::collections::BTreeSet;

/// When a straggler may be copied. Percents, unless stated.
#[derive(Clone, Copy, Debug)]
pub struct Copying {
    /// Of a stage's tasks that have won.
    pub won_percent: u32,
    /// A stage of fewer tasks need not wait for that, but for so many percent of its slowest task.
    pub small_tasks: u32,
    /// See `small_tasks`.
    pub small_percent: u32,
    /// Of the finished tasks' p75.
    pub elapsed_percent: u32,
    /// Of all patience, while more tasks are without a winner than may be copied.
    pub crowd_percent: u32,
    /// Milliseconds.
    pub elapsed_ms_min: u64,
    /// Of the finished tasks' median speed.
    pub speed_percent: u32,
    /// Of a stage's tasks; one always may.
    pub tasks_percent: u32,
    /// Of what the query was billed.
    pub cost_percent: u32,
    /// Megabytes × milliseconds on top.
    pub cost_mb_ms_min: u64,
}

/// What makes a launch a copy.
#[derive(Debug)]
pub(crate) struct Copy {
    /// Number of the attempt that it was launched beside.
    pub of: u32,
    /// What it counts for while nobody knows what it is billed.
    pub expected_mb_ms: u64,
    pub billed_mb_ms: u64,
}

/// None if the launch is none: no other attempt of the task is in flight on the same inputs.
pub(crate) fn check(history: &History, now: EpochMs, spec: &TaskSpec) -> Result<Option<Copy>, String> {
    let launches = history.launches_of(spec.attempt.task);
    let is_twin = |launch: &&Launch| launch.is_open() && launch.pin_digest == spec.pin_digest;
    let Some(twin) = launches.iter().find(is_twin) else {
        return Ok(None);
    };
    let rule = history.bounds.copies;
    let rule = rule.ok_or_else(|| format!("launched while {} is in flight on the same inputs", twin.attempt))?;
    check_count(history, &rule, spec.attempt.task)?;
    let stage = StageWork::new(history, spec.attempt.task.stage);
    let p75_ms = nth_percent(&stage.elapsed_ms, 75).unwrap_or(0);
    let copy = Copy {
        of: twin.attempt.number,
        expected_mb_ms: p75_ms * u64::from(spec.size.memory_mb()),
        billed_mb_ms: 0,
    };
    if history.is_plain() && !history.unsure.contains(&spec.attempt.task.stage) {
        check_late(&stage, &rule, now, twin)?;
        check_cost(history, &rule, &copy)?;
    }
    Ok(Some(copy))
}

/// A first attempt waits for nobody's copy: one that is launched right after a copy was ready before it.
pub(crate) fn check_turn(copied: &mut Option<AttemptId>, attempt: &AttemptId, is_copy: bool) -> Rule {
    if is_copy {
        *copied = Some(attempt.clone());
        return Ok(());
    }
    match copied {
        Some(copy) => Err(format!("{attempt}: launched after {copy}, a copy, which took its slot")),
        None => Ok(()),
    }
}

fn check_count(history: &History, rule: &Copying, task: TaskId) -> Rule {
    let of_task = history.launches_of(task).iter().filter(|launch| launch.copy.is_some());
    must(of_task.count() == 0, || "is the second copy of its task".to_owned())?;
    let copies = history
        .launches_in(task.stage)
        .filter(|launch| launch.copy.is_some())
        .count();
    let tasks = history.graph.stage(task.stage).map_or(0, |stage| stage.tasks.len());
    let max = (tasks * rule.tasks_percent as usize / 100).max(1);
    must(copies < max, || {
        format!("is the copy number {} in a stage of {tasks}, over {max}", copies + 1)
    })
}

/// What is known of a stage's finished tasks.
struct StageWork {
    tasks: usize,
    won: usize,
    /// Ascending, of those that answered in time.
    elapsed_ms: Vec<u64>,
    speeds: Vec<u64>,
}

impl StageWork {
    fn new(history: &History, id: StageId) -> StageWork {
        let winners = || history.launches_in(id).filter(|launch| launch.won_after_ms.is_some());
        let elapsed = |launch: &Launch| launch.won_after_ms.unwrap_or(0);
        let speed = |launch: &Launch| input_bytes(&launch.spec).saturating_mul(1_000) / elapsed(launch).max(1);
        let tasks = history.graph.stage(id).map_or(0, |stage| stage.tasks.len());
        let won = (0..tasks as u32).map(|index| TaskId { stage: id, index });
        let won: BTreeSet<TaskId> = won.filter(|task| !history.published_by(*task).is_empty()).collect();
        let mut work = StageWork {
            tasks,
            won: won.len(),
            elapsed_ms: winners().map(elapsed).collect(),
            speeds: winners().map(speed).collect(),
        };
        work.elapsed_ms.sort_unstable();
        work.speeds.sort_unstable();
        work
    }
}

fn check_late(stage: &StageWork, rule: &Copying, now: EpochMs, twin: &Launch) -> Rule {
    let p75_ms = nth_percent(&stage.elapsed_ms, 75).ok_or("is a copy, and nothing has finished to compare with")?;
    let most = stage.won * 100 >= stage.tasks * rule.won_percent as usize;
    let is_small = stage.tasks < rule.small_tasks as usize;
    must(most || is_small, || {
        format!("is a copy when {} of {} tasks have won", stage.won, stage.tasks)
    })?;
    let elapsed_ms = now.0 - twin.launched.0;
    let copies_max = (stage.tasks * rule.tasks_percent as usize / 100).max(1);
    let is_crowded = stage.tasks - stage.won > copies_max;
    let crowd_percent = if is_crowded { u64::from(rule.crowd_percent) } else { 100 };
    let late = |what: &str, least_ms: u64| {
        must(elapsed_ms > least_ms, || {
            format!("is a copy after {elapsed_ms} ms, before {least_ms} ms: {what}")
        })
    };
    let crowded = |ms: u64| ms * crowd_percent / 100;
    late("nothing is late so soon", crowded(rule.elapsed_ms_min))?;
    late(
        "its siblings took as long",
        crowded(p75_ms * u64::from(rule.elapsed_percent) / 100),
    )?;
    late("it reads more than they", crowded(reading_ms(stage, rule, twin)))?;
    let slowest_ms = stage.elapsed_ms.last().copied().unwrap_or(0);
    must(
        most || elapsed_ms > slowest_ms * u64::from(rule.small_percent) / 100,
        || format!("is a copy after {elapsed_ms} ms, of a small stage whose slowest task took {slowest_ms} ms"),
    )
}

/// How long the attempt's input takes at the least speed that is no straggler's.
fn reading_ms(stage: &StageWork, rule: &Copying, twin: &Launch) -> u64 {
    let median = stage.speeds[(stage.speeds.len() - 1) / 2];
    let least = median * u64::from(rule.speed_percent);
    (input_bytes(&twin.spec) * 100_000).checked_div(least).unwrap_or(0)
}

fn check_cost(history: &History, rule: &Copying, copy: &Copy) -> Rule {
    let delivered: u64 = history.delivered.values().map(|meter| meter.billed_mb_ms).sum();
    let billed = delivered + history.billed().map(Launch::owed_mb_ms).sum::<u64>();
    let spent = |launch: &Launch| {
        let of = launch.copy.as_ref()?;
        let expected = if launch.is_open() { of.expected_mb_ms } else { 0 };
        Some(of.billed_mb_ms + launch.owed_mb_ms() + expected)
    };
    let copies = history.launches().filter_map(spent).sum::<u64>() + copy.expected_mb_ms;
    let max = billed / 100 * u64::from(rule.cost_percent) + rule.cost_mb_ms_min;
    must(copies <= max, || {
        format!("is a copy, with which copies cost {copies} MB·ms, over {max}")
    })
}

/// What an attempt was told to read.
fn input_bytes(spec: &TaskSpec) -> u64 {
    let splits = spec.scans.iter().flat_map(|scan| &scan.splits);
    let slices = spec.inputs.iter().flat_map(|input| &input.slices);
    splits.map(|split| split.scan_bytes).sum::<u64>() + slices.map(ProducerSlice::len_bytes).sum::<u64>()
}

/// Of ascending values; at least so many percent are not above it.
fn nth_percent(ascending: &[u64], percent: usize) -> Option<u64> {
    let count = (ascending.len() * percent).div_ceil(100);
    ascending.get(count.checked_sub(1)?).copied()
}
