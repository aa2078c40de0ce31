//! Time used by the process: on the wall since an attempt began, and on its CPUs.

use mayfly_protocol::{EpochMs, TaskSpec};
use nix::sys::resource::{UsageWho, getrusage};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock.
pub fn now() -> EpochMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EpochMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// An order takes so long to arrive, at most, where an environment must be made for it first.
const UNDERWAY_MAX: Duration = Duration::from_secs(15);

/// How long the order may still be worked on. What the wall clock says it has been underway is believed while it can be so; beyond that this
/// machine's clock differs from the sender's, and the order has all of its time from now on.
pub fn time_left(spec: &TaskSpec, now: EpochMs) -> Duration {
    let Some(sent) = spec.sent else {
        return spec.deadline.since(now);
    };
    let time = spec.deadline.since(sent);
    let underway = now.since(sent);
    match underway <= UNDERWAY_MAX.min(time / 2) {
        true => time - underway,
        false => time,
    }
}

/// Counts from its creation on.
pub struct Stopwatch {
    started: Instant,
    cpu_ms: u64,
}

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch {
            started: Instant::now(),
            cpu_ms: process_cpu_ms(),
        }
    }

    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// User and system time of all threads. An environment runs one attempt at a time, so they are the attempt's.
    pub fn cpu_ms(&self) -> u64 {
        process_cpu_ms().saturating_sub(self.cpu_ms)
    }
}

fn process_cpu_ms() -> u64 {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else {
        return 0;
    };
    let ms = |time: nix::sys::time::TimeVal| time.tv_sec() as u64 * 1_000 + time.tv_usec() as u64 / 1_000;
    ms(usage.user_time()) + ms(usage.system_time())
}

#[cfg(test)]
mod tests;
