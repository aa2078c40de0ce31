//! What one attempt may use: memory for operators, for output, for bytes on their way in; and disk.
//!
//! ```text
//! function's memory
//! ├─ 1/4  reserve: code, fetched column chunks, decoder, allocator slack
//! └─ 3/4  usable
//!    ├─ 5/8  operators' pool: hash tables, sorts, aggregates spill above their share
//!    ├─ 2/8  output writer: blocks go to disk above it
//!    └─ 1/8  exchange input read ahead
//! ```
//!
//! DataFusion does not account for decoded batches in flight; the reserve does.

use crate::environment::EnvironmentSettings;
use datafusion::common::Result;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use mayfly_exchange::ReadSettings;
use mayfly_protocol::TaskSpec;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More than this a writer cannot use well.
const WRITER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// More than this in flight does not fill the network better.
const AHEAD_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a sort sets aside for its merge, by default; a small pool gives less.
const SORT_RESERVATION_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// The least that output and input need to make progress, whatever cap a query sets on its operators.
const IO_BYTES_MIN: u64 = 8 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub pool_bytes: u64,
    pub writer_bytes: u64,
    pub ahead_bytes: u64,
    /// Set aside by each sort for merging what it spilled.
    pub sort_reservation_bytes: u64,
    /// Of operators, and as much again of the writer.
    pub spill_bytes: u64,
}

impl Budget {
    pub fn new(spec: &TaskSpec, settings: &EnvironmentSettings) -> Budget {
        let function = u64::from(spec.size.memory_mb()) * 1024 * 1024;
        let usable = settings.memory_bytes.unwrap_or(function) / 4 * 3;
        let cap = spec.memory_bytes_max.unwrap_or(u64::MAX);
        let pool_bytes = (usable / 8 * 5).min(cap);
        let io_cap = (cap / 4).max(IO_BYTES_MIN);
        let sorts = u64::from(spec.local_partitions.max(1)) * 8;
        let free = free_bytes(&settings.spill_folder).min(settings.spill_bytes_max);
        Budget {
            pool_bytes,
            writer_bytes: (usable / 8 * 2).min(WRITER_BYTES_MAX).min(io_cap),
            ahead_bytes: (usable / 8).min(AHEAD_BYTES_MAX).min(io_cap),
            sort_reservation_bytes: (pool_bytes / sorts).min(SORT_RESERVATION_BYTES_MAX),
            // A tenth stays free for logs and the platform.
            spill_bytes: free / 10 * 9 / 2,
        }
    }

    pub fn read_settings(&self) -> ReadSettings {
        ReadSettings {
            ahead_bytes_max: self.ahead_bytes as usize,
            ..ReadSettings::default()
        }
    }
}

/// Free bytes where spill files go; an unreadable folder has none, and spilling there fails by name.
fn free_bytes(folder: &Path) -> u64 {
    match nix::sys::statvfs::statvfs(folder) {
        Ok(disk) => disk.blocks_available().saturating_mul(disk.fragment_size()),
        Err(_) => 0,
    }
}

/// DataFusion's fair pool, and the most that was ever reserved in it.
#[derive(Debug)]
pub struct MeteredPool {
    inner: FairSpillPool,
    peak_bytes: AtomicUsize,
}

impl MeteredPool {
    pub fn new(bytes: u64) -> MeteredPool {
        MeteredPool {
            inner: FairSpillPool::new(usize::try_from(bytes).unwrap_or(usize::MAX)),
            peak_bytes: AtomicUsize::new(0),
        }
    }

    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes.load(Ordering::Relaxed) as u64
    }

    fn observe(&self) {
        self.peak_bytes.fetch_max(self.inner.reserved(), Ordering::Relaxed);
    }
}

impl fmt::Display for MeteredPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl MemoryPool for MeteredPool {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.inner.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.inner.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.inner.grow(reservation, additional);
        self.observe();
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.inner.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.inner.try_grow(reservation, additional)?;
        self.observe();
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.inner.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.inner.memory_limit()
    }
}
