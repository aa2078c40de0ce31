//! Kills an environment whose processes hold more resident memory than its function was given. Unprivileged: reads `/proc` every 10 ms.
//! Resident memory counts mapped files too; address-space limits would kill healthy programs, so none is set.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::Duration;

use super::signal;

const INTERVAL: Duration = Duration::from_millis(10);
/// The process tree is looked up anew once per this many samples: it costs one read per thread, a sample costs one per process.
const SAMPLES_PER_LOOKUP: u64 = 10;
/// Linux on x86-64 and, as AWS runs it, arm64.
const PAGE_BYTES: u64 = 4096;

/// One process group under watch.
#[derive(Debug)]
pub(crate) struct Watched {
    pid: u32,
    limit_bytes: u64,
    peak_bytes: AtomicU64,
    is_active: AtomicBool,
    was_killed: AtomicBool,
}

impl Watched {
    /// Whether the watchdog killed it.
    pub fn was_killed(&self) -> bool {
        self.was_killed.load(Ordering::Acquire)
    }

    /// Most resident memory seen so far. Between two samples the kernel's own high-water mark of the main process counts.
    pub fn peak_bytes(&self) -> u64 {
        let sampled = self.peak_bytes.load(Ordering::Acquire);
        sampled.max(high_water_bytes(self.pid).unwrap_or(0))
    }

    /// Ends it as if it had grown too large.
    pub fn exhaust(&self) {
        self.was_killed.store(true, Ordering::Release);
        signal::kill(self.pid);
    }

    /// A frozen group does not grow and is not read.
    pub fn pause(&self) {
        self.is_active.store(false, Ordering::Release);
    }

    fn sample(&self, pids: &[u32]) {
        let bytes = pids.iter().filter_map(|pid| resident_bytes(*pid)).sum();
        self.peak_bytes.fetch_max(bytes, Ordering::AcqRel);
        if bytes > self.limit_bytes && self.is_active.load(Ordering::Acquire) {
            self.exhaust();
        }
    }
}

/// The thread that watches. It sleeps while nothing is active and ends with this handle.
pub(crate) struct Watchdog(Arc<Shared>);

#[derive(Default)]
struct Shared {
    watched: Mutex<Vec<Weak<Watched>>>,
    changed: Condvar,
    is_stopped: AtomicBool,
}

impl Watchdog {
    pub fn start() -> Watchdog {
        let shared = Arc::new(Shared::default());
        let watch = shared.clone();
        // A thread of its own: the runtime's workers may be busy just when memory runs out.
        let thread = std::thread::Builder::new().name("memory-watchdog".to_owned());
        thread
            .spawn(move || watch.run())
            .expect("a process can start one more thread");
        Watchdog(shared)
    }

    pub fn watch(&self, pid: u32, limit_bytes: u64) -> Arc<Watched> {
        let watched = Arc::new(Watched {
            pid,
            limit_bytes,
            peak_bytes: AtomicU64::new(0),
            is_active: AtomicBool::new(true),
            was_killed: AtomicBool::new(false),
        });
        self.0
            .watched
            .lock()
            .expect("the watchdog does not panic")
            .push(Arc::downgrade(&watched));
        self.0.changed.notify_all();
        watched
    }

    pub fn resume(&self, watched: &Watched) {
        watched.is_active.store(true, Ordering::Release);
        // The lock orders this before the watchdog's next look; without it the wake-up could fall between its look and its sleep.
        drop(self.0.watched.lock().expect("the watchdog does not panic"));
        self.0.changed.notify_all();
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.is_stopped.store(true, Ordering::Release);
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn run(&self) {
        let mut trees = std::collections::BTreeMap::<u32, Vec<u32>>::new();
        for round in 0.. {
            let active = self.active();
            if self.is_stopped.load(Ordering::Acquire) {
                return;
            }
            trees.retain(|pid, _| active.iter().any(|watched| watched.pid == *pid));
            for watched in &active {
                let tree = trees.entry(watched.pid).or_insert_with(|| tree(watched.pid));
                if round % SAMPLES_PER_LOOKUP == 0 {
                    *tree = self::tree(watched.pid);
                }
                watched.sample(tree);
            }
            std::thread::sleep(INTERVAL);
        }
    }

    /// Waits until something is active.
    fn active(&self) -> Vec<Arc<Watched>> {
        let mut watched = self.watched.lock().expect("the watchdog does not panic");
        loop {
            watched.retain(|watched| watched.strong_count() > 0);
            let all = watched.iter().filter_map(Weak::upgrade);
            let active: Vec<_> = all
                .filter(|watched| watched.is_active.load(Ordering::Acquire))
                .collect();
            if !active.is_empty() || self.is_stopped.load(Ordering::Acquire) {
                return active;
            }
            // The time limit frees a stop from having to win a race.
            watched = self
                .changed
                .wait_timeout(watched, Duration::from_secs(1))
                .expect("the watchdog does not panic")
                .0;
        }
    }
}

fn resident_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

fn high_water_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// A process and its descendants.
fn tree(root: u32) -> Vec<u32> {
    let (mut found, mut next) = (vec![root], 0);
    while let Some(pid) = found.get(next).copied() {
        found.extend(children(pid));
        next += 1;
    }
    found
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let lists = threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}
