//! A task that shall run: everything that the executor needs to know. The executor has nothing left to choose.

use crate::{AttemptId, Digest, EpochMs, FunctionSize, InputRead, PartitionDigest, PlanBytes, Split, StageId, TaskId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A half-open range of exchange partitions. Empty when `start == end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PartitionRange {
    pub start: u32,
    pub end: u32,
}

impl PartitionRange {
    pub const fn new(start: u32, end: u32) -> PartitionRange {
        PartitionRange { start, end }
    }

    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The `nth` of `parts` nearly equal adjacent pieces; sizes differ by at most one.
    pub fn piece(self, nth: u32, parts: u32) -> PartitionRange {
        assert!(nth < parts, "piece {nth} of {parts}");
        let at = |n: u32| self.start + (u64::from(self.len()) * u64::from(n) / u64::from(parts)) as u32;
        PartitionRange {
            start: at(nth),
            end: at(nth + 1),
        }
    }
}

/// The splits of one scan leaf. The executor spreads them over its local partitions in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanBinding {
    /// Ordinal by which the plan's `SplitScan` leaf names itself.
    pub scan: u32,
    pub splits: Vec<Split>,
}

/// Where the bytes of a slice are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SliceSource {
    /// One ranged GET of `offset .. offset + Σ partitions.len_bytes`.
    Object { key: Arc<str>, etag: Arc<str>, offset: u64 },
    /// The producer's output was tiny and came with its report: these are exactly the slice's bytes.
    Inline {
        #[serde(with = "crate::base64_bytes")]
        bytes: Vec<u8>,
    },
    /// The producer wrote no row into these partitions: nothing to read.
    Empty,
}

impl std::fmt::Debug for SliceSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SliceSource::Object { key, offset, .. } => write!(f, "Object({key}+{offset})"),
            SliceSource::Inline { bytes } => write!(f, "Inline({} bytes)", bytes.len()),
            SliceSource::Empty => f.write_str("Empty"),
        }
    }
}

/// One partition inside a slice, in partition order. Its bytes follow those of its predecessor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionSlice {
    pub len_bytes: u64,
    pub rows: u64,
    pub digest: PartitionDigest,
}

/// What one producer contributes to one input: a contiguous range of its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerSlice {
    pub producer: TaskId,
    pub source: SliceSource,
    pub partitions: Vec<PartitionSlice>,
}

impl ProducerSlice {
    pub fn len_bytes(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.len_bytes).sum()
    }

    pub fn rows(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.rows).sum()
    }
}

/// One exchange input, bound: (stage, partition range, producer range) and the slices that these name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputBinding {
    /// Ordinal by which the plan's `ShuffleRead` leaf names itself.
    pub input: u32,
    pub stage: StageId,
    pub read: InputRead,
    pub partitions: PartitionRange,
    /// Half-open range of producer tasks; `slices` holds one entry for each, in order.
    pub producers: PartitionRange,
    pub slices: Vec<ProducerSlice>,
}

/// Where and how the task publishes its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSpec {
    pub bucket: String,
    /// The object's key without the nonce: `x/{tenant}/{shard}/{query}/s{stage}/t{task}/{epoch}-{n}-`.
    pub key_prefix: String,
    pub partitions: u32,
    /// Outputs up to this many bytes ride in the report.
    pub inline_bytes_max: u64,
}

/// How the stage's plan reaches the executor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanRef {
    Inline(PlanBytes),
    /// Too large for a spec: an object in the output's bucket.
    Object {
        digest: Digest,
        key: String,
    },
}

impl PlanRef {
    pub fn digest(&self) -> Digest {
        match self {
            PlanRef::Inline(plan) => plan.digest,
            PlanRef::Object { digest, .. } => *digest,
        }
    }
}

/// The complete order for one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSpec {
    pub attempt: AttemptId,
    pub plan: PlanRef,
    pub scans: Vec<ScanBinding>,
    pub inputs: Vec<InputBinding>,
    pub output: OutputSpec,
    pub local_partitions: u32,
    pub size: FunctionSize,
    /// Cap on the executor's memory pool in bytes; `None` leaves it to the function's size.
    pub memory_bytes_max: Option<u64>,
    /// Joins sort and merge, which spills, instead of hashing: an attempt before this one ran short of memory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sort_merge_joins: bool,
    /// Key, in the output's bucket, of an object that does not exist yet: once it does, the query needs the attempt no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_key: Option<String>,
    /// The executor gives up [`crate::limits::DEADLINE_MARGIN_MS`] before this and never publishes after.
    pub deadline: EpochMs,
    /// When the order was sent, by the clock that `deadline` is of: an executor whose clock shows another time counts from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<EpochMs>,
    pub settings: BTreeMap<String, String>,
    /// What the attempt was pinned to: a digest over the stage's plan, over which partitions of which producers it reads, and over (key,
    /// etag, partition digests) of every slice of every input.
    pub pin_digest: Digest,
}
