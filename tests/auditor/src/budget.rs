//! Retry budgets: how often may a task be launched again after failures of each class.
//!
//! Once an input was lost in a query, which attempts were stale when they failed cannot be told from outside, so only the bound on
//! losses is checked there.

use crate::again::is_capped;
use crate::history::{History, Launch};
use crate::violation::{Rule, must};
use mayfly_protocol::{EpochMs, Failure, FunctionSize, TaskSpec, limits};

pub(crate) fn check(history: &History, now: EpochMs, spec: &TaskSpec) -> Rule {
    let task = spec.attempt.task;
    let losses = history.losses_of(task);
    must(losses <= limits::INPUT_LOST_MAX as usize, || {
        format!("launched again after its output was lost {losses} times")
    })?;
    if !history.lost.is_empty() {
        return Ok(());
    }
    must(!history.durable.contains(&task), || {
        "launched though the journal has its winner".to_owned()
    })?;
    must(!history.has_reported(task), || {
        "launched again after it reported".to_owned()
    })?;
    check_task(history, spec)?;
    check_time(history, now, spec)?;
    let (transient, max) = (history.transient, history.retries_max);
    must(transient <= max, || {
        format!("launched after {transient} transient failures of its query, over {max}")
    })
}

/// An attempt after one that was short of memory or time may run longer than that one, if it can.
fn check_time(history: &History, now: EpochMs, spec: &TaskSpec) -> Rule {
    let time_ms = spec.deadline.0 - now.0;
    let is_cut = spec.deadline == history.deadline || time_ms == limits::TASK_DURATION_MS_MAX;
    let launches = history.launches_of(spec.attempt.task).iter();
    let mut short = launches.filter(|launch| launch.counts && launch.failure.as_ref().is_some_and(needs_more));
    short.try_for_each(|launch| {
        must(is_cut || time_ms > launch.time_ms(), || {
            format!("may run {time_ms} ms, of which {} had not enough", launch.attempt)
        })
    })
}

fn check_task(history: &History, spec: &TaskSpec) -> Rule {
    let failures = |is: fn(&Failure) -> bool| {
        let launches = history.launches_of(spec.attempt.task).iter();
        launches.filter(move |launch| launch.counts && launch.failure.as_ref().is_some_and(is))
    };
    let under = |what: &str, count: usize, max: u32| {
        must(count <= max as usize, || {
            format!("launched after {count} failures as {what}, over {max}")
        })
    };
    let count = |is| failures(is).count();
    under(
        "transient",
        count(|failure| matches!(failure, Failure::Transient { .. })),
        limits::TRANSIENT_ATTEMPTS_MAX - 1,
    )?;
    under(
        "lost environment",
        count(|failure| matches!(failure, Failure::EnvironmentLost { .. })),
        limits::ENVIRONMENTS_LOST_MAX,
    )?;
    under(
        "crash",
        count(|failure| matches!(failure, Failure::Broken { .. })),
        limits::CRASHES_MAX - 1,
    )?;
    under(
        "out of time",
        count(|failure| matches!(failure, Failure::TimedOut { .. })),
        1,
    )?;
    under(
        "user error",
        count(|failure| matches!(failure, Failure::User { .. })),
        0,
    )?;
    check_growth(failures(needs_more), spec)?;
    let shortages = count(|failure| matches!(failure, Failure::NeedsMemory { .. }));
    under(
        "short of memory under a cap",
        shortages * usize::from(is_capped(spec)),
        1,
    )
}

fn needs_more(failure: &Failure) -> bool {
    matches!(failure, Failure::NeedsMemory { .. } | Failure::TimedOut { .. })
}

/// After an attempt that was too small comes a larger one, if there is one.
fn check_growth<'a>(mut failures: impl Iterator<Item = &'a Launch>, spec: &TaskSpec) -> Rule {
    failures.try_for_each(|launch| {
        let size: FunctionSize = launch.size;
        must(spec.size > size || size == FunctionSize::Six || is_capped(spec), || {
            format!(
                "launched with {} MB, of which {} had not enough",
                spec.size.memory_mb(),
                launch.attempt
            )
        })
    })
}
