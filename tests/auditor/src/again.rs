//! The attempt after a failure: when it may come, when it is due, how large it is and how long it may run, by the class of the
//! failure.
//!
//! Known only where it is known which failures count: see [`History::is_plain`]. In a stage that may have enough rows early a task
//! may have been unwanted in between, so nothing is said of those.

use crate::auditor::Bounds;
use crate::history::{History, Launch};
use crate::turns;
use crate::violation::{Rule, must};
use mayfly_protocol::{EpochMs, Failure, FunctionSize, TaskSpec, limits};

/// So many retries at once, one after the other, are no chance where each is drawn from a hundred milliseconds and more.
const AT_ONCE_MAX: u32 = 6;

/// What a task's failures call for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    size: FunctionSize,
    /// What the first attempt might take.
    time_ms: u64,
    shortages: u32,
    timeouts: u32,
    /// Neither a larger function nor more time is to be had.
    pub is_hopeless: bool,
    failed_at: EpochMs,
    not_before: EpochMs,
    /// From then on it waits for nothing but a slot.
    pub ready_by: EpochMs,
    is_drawn: bool,
}

impl Again {
    /// After the first launch.
    pub fn new(launch: &Launch, bounds: &Bounds) -> Again {
        Again {
            size: launch.size,
            time_ms: match turns::is_short(bounds, launch) {
                true => bounds.task_duration_ms,
                false => launch.time_ms(),
            },
            shortages: 0,
            timeouts: 0,
            is_hopeless: false,
            failed_at: EpochMs(0),
            not_before: EpochMs(0),
            ready_by: EpochMs(0),
            is_drawn: false,
        }
    }

    /// The attempt has failed so, as the `times`-th of its class.
    pub fn note(&mut self, now: EpochMs, failure: &Failure, times: usize, backoff_ms: (u64, u64)) {
        let (first_ms, max_ms) = backoff_ms;
        let drawn_ms = first_ms
            .saturating_mul(1 << times.saturating_sub(1).min(32))
            .min(max_ms);
        let (least_ms, most_ms) = match failure {
            Failure::Transient { .. } | Failure::Unreachable { .. } => (0, drawn_ms),
            // The first time at once, then as after one failure less.
            Failure::EnvironmentLost { .. } if times > 1 => (0, drawn_ms),
            Failure::Throttled { retry_after_ms } => {
                let told_ms = retry_after_ms.unwrap_or(0);
                (told_ms, told_ms.max(drawn_ms))
            }
            _ => (0, 0),
        };
        self.failed_at = now;
        self.not_before = EpochMs(now.0 + least_ms);
        self.ready_by = EpochMs(now.0 + most_ms);
        self.is_drawn = matches!(failure, Failure::Transient { .. } | Failure::Unreachable { .. });
    }

    /// A second shortage of memory leads to the largest size, a first one and too little time to the next; unless the session's own cap
    /// was what fell short.
    pub fn grow(&mut self, failure: &Failure, failed: &TaskSpec) {
        let next = failed.size.next().unwrap_or(failed.size);
        let wanted = match failure {
            Failure::NeedsMemory { .. } if is_capped(failed) => failed.size,
            Failure::NeedsMemory { .. } if self.shortages > 0 => FunctionSize::Six,
            Failure::NeedsMemory { .. } | Failure::TimedOut { .. } => next,
            _ => return,
        };
        self.shortages += u32::from(matches!(failure, Failure::NeedsMemory { .. }));
        self.timeouts += u32::from(matches!(failure, Failure::TimedOut { .. }));
        self.size = self.size.max(wanted);
    }

    /// Whether an attempt had too little of something.
    fn needs_more(&self) -> bool {
        self.shortages + self.timeouts > 0
    }

    /// Each of those makes it four times as long.
    fn deadline(&self, now: EpochMs, most: EpochMs) -> EpochMs {
        let times = 4_u64.saturating_pow(self.shortages + self.timeouts);
        let time_ms = self.time_ms.saturating_mul(times).min(limits::TASK_DURATION_MS_MAX);
        most.min(EpochMs(now.0 + time_ms))
    }
}

/// Whether a larger function would give the task's operators no more.
pub(crate) fn is_capped(spec: &TaskSpec) -> bool {
    let cap = spec.memory_bytes_max;
    cap.is_some_and(|cap| cap <= spec.size.operator_bytes())
}

/// Whether a timed-out attempt had all that there is: the largest function, and as long as the platform or what is left of its query
/// would let another run.
pub(crate) fn is_hopeless(history: &History, now: EpochMs, failed: &Launch) -> bool {
    let is_late = matches!(failed.failure, Some(Failure::TimedOut { .. }));
    let time_ms = failed.time_ms();
    let is_longest = time_ms >= limits::TASK_DURATION_MS_MAX || now.0 + time_ms >= history.deadline.0;
    is_late && failed.size == FunctionSize::Six && is_longest
}

pub(crate) fn check(history: &History, now: EpochMs, spec: &TaskSpec, is_copy: bool) -> Rule {
    let task = spec.attempt.task;
    let Some(again) = history.again.get(task).filter(|_| history.tells_failures(task)) else {
        return Ok(());
    };
    must(spec.size == again.size, || {
        format!(
            "has {} MB, its failures call for {}",
            spec.size.memory_mb(),
            again.size.memory_mb()
        )
    })?;
    let deadline = again.deadline(now, history.deadline);
    let short = EpochMs(now.0 + history.bounds.short_turn_ms);
    let is_short = history.bounds.short_turns_max > 0 && spec.deadline == short && short < deadline;
    must(spec.deadline == deadline || is_short && !again.needs_more(), || {
        format!("has until {}, its failures call for {deadline}", spec.deadline)
    })?;
    must(!again.is_hopeless, || {
        "launched again with no more of anything".to_owned()
    })?;
    must(is_copy || now >= again.not_before, || {
        format!("launched at {now}, asked to wait until {}", again.not_before)
    })
}

/// Backoffs are drawn: not all of them are nothing.
pub(crate) fn check_haste(at_once: &mut u32, history: &History, now: EpochMs, spec: &TaskSpec) -> Rule {
    let task = spec.attempt.task;
    let again = history.again.get(task).filter(|_| history.tells_failures(task));
    if let Some(again) = again.filter(|again| again.is_drawn) {
        *at_once = if again.failed_at == now { *at_once + 1 } else { 0 };
    }
    must(*at_once < AT_ONCE_MAX, || {
        format!("is the retry number {at_once} in a row that waited for nothing")
    })
}

/// Failures of the launch's task that are of its class.
pub(crate) fn times(launches: &[Launch], failure: &Failure) -> usize {
    let same = launches.iter().filter(|launch| {
        let class = launch.failure.as_ref().map(Failure::class);
        launch.counts && class == Some(failure.class())
    });
    same.count()
}
