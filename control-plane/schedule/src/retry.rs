//! What to do after a failed attempt, by its class. Each class is one rule; messages are shown and never read.
//!
//! | Class | Rule |
//! |---|---|
//! | user | the query fails at once |
//! | transient | again after full jitter; bounded per task and per query |
//! | throttled | again after the platform's delay or full jitter; not counted, bounded by the deadline |
//! | unreachable | again after full jitter; not counted, bounded by the deadline |
//! | environment_lost | again at once, then after full jitter; after eight the task is poison |
//! | needs_memory | the next size, joins that spill, and more time; then the largest; there the query fails |
//! | … under a cap that the function has room for | the same size, joins that spill, and more time; then the query fails |
//! | timed_out in a short turn | again in a slot; not counted |
//! | timed_out | the next size and more time, once; at the largest more time if there is more; then the query fails |
//! | input_lost | see `query::lose` |
//! | broken | again at once; the third fails the query |
//!
//! More time is four times as much, up to the platform's bound and the query's deadline: see `query::launch`.

use crate::Settings;
use crate::random::Random;
use crate::task::Tries;
use mayfly_protocol::{AttemptId, ErrorCode, Failure, FunctionSize, QueryError, Split, limits};
use std::num::NonZeroU64;

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Retry { after_ms: u64 },
    Grow { size: FunctionSize },
    Fail(QueryError),
}

/// The failed attempt's circumstances.
pub(crate) struct Case<'a> {
    pub attempt: AttemptId,
    pub size: FunctionSize,
    /// How long it might run, and how long the next one may.
    pub time_ms: u64,
    pub next_time_ms: u64,
    pub splits: &'a [Vec<Split>],
    pub memory_bytes_max: Option<u64>,
    /// Transient failures of the whole query, this one included, and how many it may have.
    pub query_retries: u32,
    pub query_retries_max: u32,
}

impl Case<'_> {
    /// The session's bound on a task's memory, where it is what the operators ran into: no larger function gives them more.
    fn cap(&self) -> Option<u64> {
        self.memory_bytes_max.filter(|cap| *cap <= self.size.operator_bytes())
    }
}

/// Judges a failure of the current attempt; `tries` already counts it. Lost inputs are judged where winners are dropped.
pub(crate) fn judge(
    case: &Case<'_>,
    failure: &Failure,
    tries: &Tries,
    settings: &Settings,
    jitter: &mut Random,
) -> Verdict {
    match failure {
        Failure::User { .. } if mutant!(RetryUserErrors) => retry(0),
        Failure::User { error } => Verdict::Fail(error.clone()),
        Failure::Transient { message }
            if tries.transient >= settings.transient_attempts_max && !mutant!(UnboundedTransient) =>
        {
            Verdict::Fail(exhausted(case, tries.transient, message))
        }
        Failure::Transient { message } if case.query_retries > case.query_retries_max && !mutant!(IgnoreBudget) => {
            Verdict::Fail(budget(case, message))
        }
        Failure::Transient { .. } if mutant!(NoBackoff) => retry(0),
        Failure::Transient { .. } => retry(full_jitter(tries.transient, settings, jitter)),
        Failure::Throttled { .. } if mutant!(CountThrottles) && tries.throttled >= settings.transient_attempts_max => {
            Verdict::Fail(exhausted(case, tries.throttled, "throttled"))
        }
        Failure::Throttled { .. } if mutant!(IgnoreRetryAfter) => retry(full_jitter(tries.throttled, settings, jitter)),
        Failure::Throttled { retry_after_ms } => {
            let jitter = full_jitter(tries.throttled, settings, jitter);
            retry(retry_after_ms.unwrap_or(0).max(jitter))
        }
        Failure::Unreachable { .. } if mutant!(CountUnreachable) && tries.unreachable > 3 => {
            Verdict::Fail(exhausted(case, tries.unreachable, "unreachable"))
        }
        Failure::Unreachable { .. } => retry(full_jitter(tries.unreachable, settings, jitter)),
        Failure::EnvironmentLost { message }
            if tries.environments_lost > settings.environments_lost_max && !mutant!(UnboundedLost) =>
        {
            Verdict::Fail(poisoned(case, tries.environments_lost, "lost its environment", message))
        }
        Failure::EnvironmentLost { .. } if mutant!(GrowOnLost) => {
            case.size.next().map_or(retry(0), |size| Verdict::Grow { size })
        }
        Failure::EnvironmentLost { .. } if tries.environments_lost <= 1 => retry(0),
        Failure::EnvironmentLost { .. } => retry(full_jitter(tries.environments_lost - 1, settings, jitter)),
        Failure::NeedsMemory { .. } if mutant!(NeverGrowOnMemory) => retry(0),
        Failure::NeedsMemory { message } if let Some(cap) = case.cap() => match tries.short_of_memory {
            shortages if shortages <= 1 => Verdict::Grow { size: case.size },
            _ => Verdict::Fail(capped(case, cap, message)),
        },
        Failure::NeedsMemory { message } => match tries.short_of_memory {
            // At the largest size, too, joins that spill may do.
            shortages if shortages <= 1 || (mutant!(GrowSlowly) && case.size < FunctionSize::Six) => Verdict::Grow {
                size: case.size.next().unwrap_or(case.size),
            },
            _ if case.size < FunctionSize::Six => Verdict::Grow {
                size: FunctionSize::Six,
            },
            _ => Verdict::Fail(out_of_memory(case, message)),
        },
        Failure::TimedOut { message } if tries.timed_out >= 2 && !mutant!(GrowTwiceOnTimeout) => {
            Verdict::Fail(out_of_time(case, message))
        }
        Failure::TimedOut { message } => match case.size.next() {
            Some(size) => Verdict::Grow { size },
            None if has_time_to_gain(case) && !mutant!(FailAtLargest) => Verdict::Grow { size: case.size },
            None => Verdict::Fail(out_of_time(case, message)),
        },
        // A lost input that is none of the task's own is no answer.
        Failure::Broken { message } | Failure::InputLost { message, .. }
            if tries.crashes >= settings.crashes_max && !mutant!(NeverPoison) =>
        {
            Verdict::Fail(poisoned(case, tries.crashes, "crashed", message))
        }
        Failure::Broken { .. } | Failure::InputLost { .. } => retry(0),
    }
}

fn retry(after_ms: u64) -> Verdict {
    Verdict::Retry { after_ms }
}

/// Uniform in `0 ..= min(cap, base × 2^(failures − 1))`.
fn full_jitter(failures: u32, settings: &Settings, jitter: &mut Random) -> u64 {
    let doublings = failures.saturating_sub(1).min(32);
    let bound = settings.backoff_ms.saturating_mul(1 << doublings);
    let cap = if mutant!(BackoffWithoutCap) {
        u64::MAX
    } else {
        settings.backoff_ms_max
    };
    jitter.below(NonZeroU64::MIN.saturating_add(bound.min(cap)))
}

/// At the largest size nothing but time can help.
fn has_time_to_gain(case: &Case<'_>) -> bool {
    case.next_time_ms > case.time_ms || mutant!(AgainWithoutGain)
}

fn exhausted(case: &Case<'_>, times: u32, message: &str) -> QueryError {
    let text = format!("{} failed, as its task now has {times} times: {message}", case.attempt);
    QueryError::new(ErrorCode::RemoteTaskError, text)
}

fn budget(case: &Case<'_>, message: &str) -> QueryError {
    let text = format!(
        "{} failed, one more than the {} transient failures that a query of this size may have: {message}",
        case.attempt, case.query_retries_max
    );
    QueryError::new(ErrorCode::RemoteTaskError, text)
}

fn poisoned(case: &Case<'_>, times: u32, what: &str, message: &str) -> QueryError {
    let reads = match reads(case.splits) {
        files if files.is_empty() => String::new(),
        files => format!(" reading {files}"),
    };
    let text = format!(
        "{} {what}{reads}, as its task now has {times} times: {message}",
        case.attempt
    );
    QueryError::new(ErrorCode::TaskPoisoned, text)
}

/// The first splits by name, and how many more there are.
fn reads(scans: &[Vec<Split>]) -> String {
    const NAMED_MAX: usize = 3;
    let splits = || scans.iter().flatten();
    let named: Vec<String> = splits()
        .take(NAMED_MAX)
        .map(|split| format!("s3://{}/{}", split.bucket, split.key))
        .collect();
    let rest = splits().count() - named.len();
    match rest {
        0 => named.join(", "),
        rest => format!("{} and {rest} more", named.join(", ")),
    }
}

fn out_of_memory(case: &Case<'_>, message: &str) -> QueryError {
    let text = format!(
        "{} needs more memory than the largest function has ({} MB): {message}",
        case.attempt,
        case.size.memory_mb()
    );
    let hint = "lower the session property target_task_bytes so that each task holds less";
    QueryError::new(ErrorCode::ExceededLocalMemoryLimit, text).hint(hint)
}

fn capped(case: &Case<'_>, cap: u64, message: &str) -> QueryError {
    let cap = match cap % 1_000_000 {
        0 => format!("{} MB", cap / 1_000_000),
        _ => format!("{cap} bytes"),
    };
    let text = format!(
        "{} needs more memory than max_task_memory allows ({cap}): {message}",
        case.attempt
    );
    let hint = "raise the session property max_task_memory, or lower target_task_bytes so that each task holds less";
    QueryError::new(ErrorCode::ExceededLocalMemoryLimit, text).hint(hint)
}

fn out_of_time(case: &Case<'_>, message: &str) -> QueryError {
    let seconds = case.time_ms / 1_000;
    let text = format!("{} ran out of the {seconds} s that it had: {message}", case.attempt);
    // Where the next one would not have more, it is the query that has none left, or the platform that gives no more.
    let is_cut = case.next_time_ms <= case.time_ms && case.time_ms < limits::TASK_DURATION_MS_MAX;
    let hint = match is_cut {
        true => "raise the session property max_run_time, or lower target_task_bytes so that each task does less",
        false => "lower the session property target_task_bytes so that each task does less",
    };
    QueryError::new(ErrorCode::ExceededTimeLimit, text).hint(hint)
}
