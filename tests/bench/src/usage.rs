//! CPU time, read from the kernel: of this process by getrusage, of the server and its executors from /proc, the emulator's threads apart.

use mayfly_end_to_end::server::descendants;
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::{SysconfVar, sysconf};
use std::ops::Sub;
use std::time::Duration;

/// Threads of the local cloud carry this name, so that its CPU can be told from the server's.
const EMULATOR_THREAD: &str = "emulator";

/// CPU time so far. Differences of two readings are what a query took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    pub server: Duration,
    pub executors: Duration,
    pub emulator: Duration,
}

impl Cpu {
    /// What Mayfly itself used: the emulator stands for AWS.
    pub fn ours(self) -> Duration {
        self.server + self.executors
    }
}

impl Sub for Cpu {
    type Output = Cpu;
    fn sub(self, earlier: Cpu) -> Cpu {
        Cpu {
            server: self.server.saturating_sub(earlier.server),
            executors: self.executors.saturating_sub(earlier.executors),
            emulator: self.emulator.saturating_sub(earlier.emulator),
        }
    }
}

/// This process: user and system time of all its threads.
pub fn own() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may ask for its own usage");
    let time = |value: nix::sys::time::TimeVal| {
        Duration::from_secs(value.tv_sec().unsigned_abs()) + Duration::from_micros(value.tv_usec().unsigned_abs())
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// The server's process tree. Executors that have died are in their parent's children time once it has reaped them.
pub fn of_server(pid: u32) -> Cpu {
    let whole = stat(&format!("/proc/{pid}/stat")).unwrap_or_default();
    let emulator = threads(pid).into_iter().map(|times| times.own).sum::<Duration>();
    let living: Duration = descendants(pid)
        .iter()
        .filter_map(|child| stat(&format!("/proc/{child}/stat")))
        .map(|times| times.own + times.children)
        .sum();
    Cpu {
        server: whole.own.saturating_sub(emulator),
        executors: whole.children + living,
        emulator,
    }
}

/// What a process holds in memory, in MB.
pub fn resident_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024 / 1_000_000
}

#[derive(Clone, Copy, Default)]
struct Times {
    own: Duration,
    children: Duration,
}

/// Times of the threads that belong to the emulator.
fn threads(pid: u32) -> Vec<Times> {
    let Ok(folder) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let named = folder.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = std::fs::read_to_string(path.join("comm")).ok()?;
        name.starts_with(EMULATOR_THREAD)
            .then(|| stat(path.join("stat").to_str()?))?
    });
    named.collect()
}

/// Fields 14 to 17 of a stat file: utime, stime, cutime, cstime, in clock ticks.
fn stat(path: &str) -> Option<Times> {
    let text = std::fs::read_to_string(path).ok()?;
    // Some of the fields are negative: a process without a terminal has group -1 there.
    let fields: Vec<i64> = text
        .rsplit_once(") ")?
        .1
        .split(' ')
        .skip(1)
        .filter_map(|field| field.trim().parse().ok())
        .collect();
    let ticks = sysconf(SysconfVar::CLK_TCK).ok()??.unsigned_abs();
    // After the name and the state come ids and counts; utime is the eleventh number.
    let time = |at: usize| Some(Duration::from_millis(fields.get(at)?.unsigned_abs() * 1_000 / ticks));
    Some(Times {
        own: time(10)? + time(11)?,
        children: time(12)? + time(13)?,
    })
}
