//! How many tasks a stage has.
//!
//! Input bytes ÷ target_task_bytes, rounded up, for what is scanned and for what is read from an exchange; and up again to whole waves,
//! when there are more tasks than slots. Tiny target bytes (below
//! 16 MiB) force the shape instead: a stage that can have many tasks has at least 3, however small its input, and at most 8, or 24
//! where it scans and may read more than a few pages, so that a forced query of any scale shows every exchange at work in a bounded number of invocations.

use super::prune::{Pruned, PrunedScans};
use crate::settings::PARTITIONS_PER_TASK;
use datafusion::common::{Result, not_impl_err};
use datafusion::physical_plan::ExecutionPlan;
use mayfly_fragment::SplitScanExec;
use mayfly_protocol::limits::{PARTITIONS_MAX, TASKS_MAX};
use std::sync::Arc;

/// Task bytes below this force small tasks at every stage.
pub(crate) const FORCED_BYTES: u64 = 16 * 1024 * 1024;

/// Tasks of a forced stage that reads an exchange, or a scan of at least as many row groups.
const FORCED_TASKS_MIN: u32 = 3;

/// Files of one task, however small: each takes requests of its own, and room in the task's order.
const TASK_FILES_MAX: usize = 1_000;

/// Tasks of a forced stage that only reads exchanges: each task of one is a reader of each task of the other.
const FORCED_TASKS_MAX: u32 = 8;

/// Tasks of a forced stage that scans.
const FORCED_SCAN_TASKS_MAX: u32 = 24;

/// Task bytes below this ask for nothing but the shape: scans, too, have few tasks then.
const SHAPE_BYTES: u64 = 32 * 1024;

/// What decides on numbers of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizing {
    pub target_task_bytes: u64,
    /// DataFusion partitions inside one task.
    pub local_partitions: u32,
    /// Task slots. Tasks beyond them run in waves.
    pub concurrency: u32,
    /// A query that reads no more is not divided at all.
    pub one_task_bytes: u64,
}

impl Sizing {
    pub(crate) fn forced(&self) -> bool {
        self.target_task_bytes < FORCED_BYTES
    }

    fn wanted(&self, bytes: u64, forced_max: u32) -> u32 {
        let tasks = bytes.div_ceil(self.target_task_bytes.max(1));
        let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
        if self.forced() {
            tasks.clamp(FORCED_TASKS_MIN, forced_max)
        } else {
            self.in_full_waves(tasks.max(1))
        }
    }

    fn forced_scan_tasks_max(&self) -> u32 {
        match self.target_task_bytes < SHAPE_BYTES {
            true => FORCED_TASKS_MAX,
            false => FORCED_SCAN_TASKS_MAX,
        }
    }

    /// A last wave of few tasks takes as long as a full one of smaller tasks.
    fn in_full_waves(&self, tasks: u32) -> u32 {
        let slots = self.concurrency.max(1);
        if tasks <= slots {
            return tasks;
        }
        tasks.checked_next_multiple_of(slots).unwrap_or(tasks)
    }

    /// Whether one task may read it all.
    pub(crate) fn fits_one_task<'a>(&self, scans: impl Iterator<Item = &'a Pruned>) -> bool {
        let (mut bytes, mut files) = (0_u64, 0);
        for pruned in scans {
            bytes = bytes.saturating_add(pruned.bytes());
            files += pruned.files();
        }
        bytes <= self.one_task_bytes && files <= TASK_FILES_MAX
    }

    /// Tasks of a scan: never more than it has row groups, never none.
    pub(crate) fn scan_tasks(&self, pruned: &Pruned) -> Result<u32> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let row_groups = count(pruned.pieces.len()).max(1);
        let by_files = count(pruned.files().div_ceil(TASK_FILES_MAX));
        let wanted = self.wanted(pruned.bytes(), self.forced_scan_tasks_max());
        let tasks = wanted.max(by_files).min(row_groups);
        if tasks > TASKS_MAX {
            let target = self.target_task_bytes;
            return not_impl_err!(
                "a scan of {} in tasks of {target} bytes takes {tasks} tasks, more than {TASKS_MAX}",
                pruned.table.name
            );
        }
        Ok(tasks)
    }

    /// Tasks that read `bytes` from HASH and ROUND_ROBIN exchanges, each at least one partition.
    pub(crate) fn exchange_tasks(&self, bytes: u64) -> u32 {
        self.wanted(bytes, FORCED_TASKS_MAX)
            .min(PARTITIONS_MAX / self.partitions_per_task())
    }

    /// Partitions of every exchange of a query whose widest consumer has so many tasks. One number for all, so that what two
    /// exchanges hashed alike stands in equal ranges.
    pub(crate) fn partitions(&self, tasks: u32) -> u32 {
        tasks
            .max(1)
            .saturating_mul(self.partitions_per_task())
            .min(PARTITIONS_MAX)
    }

    /// Enough to regroup later, and one for each local partition.
    fn partitions_per_task(&self) -> u32 {
        PARTITIONS_PER_TASK.max(self.local_partitions)
    }

    /// The widest scan directly in this part of a plan.
    pub(crate) fn widest_scan(&self, plan: &Arc<dyn ExecutionPlan>, pruned: &PrunedScans) -> Result<u32> {
        match plan.downcast_ref::<SplitScanExec>() {
            Some(scan) => pruned.get(&scan.scan).map_or(Ok(1), |pruned| self.scan_tasks(pruned)),
            None => Ok(1),
        }
    }
}

#[cfg(test)]
mod tests;
