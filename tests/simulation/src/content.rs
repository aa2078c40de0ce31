//! Contents without rows: what a task publishes is a function of who it is and of what it read, so that a wrong answer shows.

use crate::random::mix;
use mayfly_protocol::{PartitionDigest, PartitionEntry, StageId, TaskId};

/// How a stage behaves; what plans would say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    pub seed: u64,
    /// Bytes of a row: large ones end in objects, small ones ride inline.
    pub row_bytes: u64,
    /// One partition in so many is empty; 0 for none.
    pub empty_every: u64,
    /// Running a task again gives other rows.
    pub nondeterministic: bool,
    /// Shares of tasks with a trouble of their own, in units of 2⁻³².
    pub hungry: u32,
    pub cursed: u32,
}

impl Nature {
    /// The smallest function that the task succeeds in: 0 for any, 4 for none.
    pub fn hunger(&self, task: TaskId) -> u64 {
        let lot = mix(self.seed, mix(101, u64::from(task.index)));
        if (lot as u32) < self.hungry {
            1 + (lot >> 32) % 4
        } else {
            0
        }
    }

    /// Whether the task's objects are lost as soon as they are published.
    pub fn is_cursed(&self, task: TaskId) -> bool {
        (mix(self.seed, mix(102, u64::from(task.index))) as u32) < self.cursed
    }
}

/// Digest of everything that a task read, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadDigest(u64);

impl ReadDigest {
    pub fn new() -> ReadDigest {
        ReadDigest(1)
    }

    /// Empty partitions carry nothing, whoever wrote them.
    pub fn read(&mut self, input: u32, producer: TaskId, entry: &PartitionEntry) {
        if entry.rows > 0 {
            let from = mix(u64::from(input), mix(stage(producer.stage), u64::from(producer.index)));
            self.0 = mix(mix(self.0, from), entry.digest.0);
        }
    }
}

/// The partitions that a task publishes. `variant` is 0, or the nonce of a task that is not deterministic.
pub(crate) fn partitions(
    nature: &Nature,
    task: TaskId,
    read: ReadDigest,
    count: u32,
    variant: u64,
) -> Vec<PartitionEntry> {
    let own = mix(nature.seed, mix(stage(task.stage), u64::from(task.index)));
    let value = mix(mix(own, read.0), variant);
    let entry = |partition: u32| {
        // Emptiness follows from the place alone: what was read cannot change it.
        let place = mix(own, u64::from(partition) + 1);
        if nature.empty_every > 0 && place.is_multiple_of(nature.empty_every) {
            return PartitionEntry::default();
        }
        let digest = mix(value, u64::from(partition)).max(1);
        let rows = 1 + digest % 50;
        PartitionEntry {
            len_bytes: rows * nature.row_bytes,
            rows,
            digest: PartitionDigest(digest),
        }
    };
    (0..count).map(entry).collect()
}

/// The bytes of inline partitions: each filled with a byte of its digest, so that a slice of the wrong place shows.
pub(crate) fn bytes<'a>(entries: impl Iterator<Item = (u64, PartitionDigest)> + 'a) -> Vec<u8> {
    let mut bytes = Vec::new();
    entries.for_each(|(len, digest)| bytes.resize(bytes.len() + len as usize, digest.0 as u8));
    bytes
}

/// Whether these are the bytes of the partitions.
pub(crate) fn are_bytes<'a>(mut bytes: &[u8], mut entries: impl Iterator<Item = (u64, PartitionDigest)> + 'a) -> bool {
    let all = entries.all(|(len, digest)| {
        let part = bytes.split_off(..len as usize);
        part.is_some_and(|part| part.iter().all(|byte| *byte == digest.0 as u8))
    });
    all && bytes.is_empty()
}

fn stage(stage: StageId) -> u64 {
    u64::from(stage.index) << 16 | u64::from(stage.generation)
}
