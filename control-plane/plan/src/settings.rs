//! What the planner knows of the machines that will run its plans.

use mayfly_protocol::FunctionSize;
use serde::{Deserialize, Serialize};

/// The least partitions that a query is planned with: with one, DataFusion plans no exchange, and nothing could be cut.
pub(crate) const PLANNED_PARTITIONS_MIN: usize = 2;

/// Exchange partitions per planned consumer task, so that ranges can be regrouped later without writing again.
pub(crate) const PARTITIONS_PER_TASK: u32 = 4;

/// Most bytes of input for one task: what a fresh environment reads at full network speed.
const TASK_BYTES_MAX: u64 = 300_000_000;

/// How many times larger a Parquet column is in memory than on disk, as a first guess.
const EXPANSION: u64 = 2;

/// Settings of a planner. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannerSettings {
    /// Compressed bytes of input per task where the session does not say. Halving it doubles invocations and exchange GETs.
    pub target_task_bytes: u64,
    /// DataFusion partitions inside one task where the session does not say.
    pub executor_vcpus: u32,
    /// Task slots; more tasks than this in one stage run in waves.
    pub concurrency: u32,
    /// The function that runs first attempts.
    pub size: FunctionSize,
    /// The largest function that a query of one task is given for speed: work that divides among vCPUs costs the same on two of
    /// them in half the time.
    pub size_max: FunctionSize,
    /// The largest function that a query of one task is given for what its operators hold, where one function has all the vCPUs.
    pub size_for_memory: FunctionSize,
}

impl PlannerSettings {
    /// Task bytes = min(300 MB, 0.4 × memory ÷ expansion): the input fits in memory, and a task amortizes its invocation.
    pub fn for_size(size: FunctionSize, executor_vcpus: u32, concurrency: u32) -> PlannerSettings {
        let memory_bytes = u64::from(size.memory_mb()) * 1_000_000;
        PlannerSettings {
            target_task_bytes: TASK_BYTES_MAX.min(memory_bytes * 4 / 10 / EXPANSION),
            executor_vcpus: executor_vcpus.max(1),
            concurrency: concurrency.max(1),
            size,
            size_max: size,
            size_for_memory: size,
        }
    }
}

/// Bytes of input, compressed, that keep a vCPU busy for longer than it takes to share the work.
const VCPU_BYTES: u64 = 8_000_000;

impl PlannerSettings {
    /// Bytes that one task may read where the session does not say. Where one function has all the vCPUs that all slots have together,
    /// dividing the work gains nothing and costs the exchange: then it may be as much as its memory. What is read passes through; what is
    /// held counts apart.
    pub(crate) fn one_task_bytes(&self) -> u64 {
        let has_all = self.size_max.vcpus() >= self.concurrency.saturating_mul(self.size.vcpus());
        let memory_bytes = u64::from(self.size_max.memory_mb()) * 1_000_000;
        match has_all {
            true => self.target_task_bytes.max(memory_bytes),
            false => self.target_task_bytes,
        }
    }

    /// Bytes that hash tables may hold in a task which reads more than usual.
    pub(crate) fn held_bytes_max(&self) -> u64 {
        held_bytes(self.size_for_memory.max(self.size_max))
    }

    /// The function for a query that reads and holds so much and fits one task.
    pub(crate) fn size_for(&self, bytes: u64, held: u64) -> FunctionSize {
        let vcpus = u32::try_from(bytes / VCPU_BYTES).unwrap_or(u32::MAX);
        let by_work = FunctionSize::with_vcpus(vcpus).min(self.size_max).max(self.size);
        let roomy = FunctionSize::ALL.into_iter().find(|size| held_bytes(*size) >= held);
        by_work.max(roomy.unwrap_or(self.size_for_memory).min(self.size_for_memory))
    }
}

/// Bytes that hash tables should hold in a function at most: estimates err, and operators need room to work.
fn held_bytes(size: FunctionSize) -> u64 {
    u64::from(size.memory_mb()) * 1_000_000 * 3 / 10
}

impl Default for PlannerSettings {
    fn default() -> PlannerSettings {
        PlannerSettings {
            size_max: FunctionSize::Six,
            ..PlannerSettings::for_size(FunctionSize::default(), FunctionSize::default().vcpus(), 100)
        }
    }
}

#[cfg(test)]
mod tests;
