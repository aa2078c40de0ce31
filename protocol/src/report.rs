//! A task that ran: what it published, what it used, what it saw.

use crate::{AttemptId, Digest, Meter, Nonce, PartitionDigest};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where an output's bytes are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputLocation {
    Object {
        key: Arc<str>,
        etag: Arc<str>,
        /// Size of the whole object, header and footer included.
        size_bytes: u64,
        /// Offset of the first partition's first byte.
        data_offset: u64,
    },
    /// The partitions' bytes, concatenated in partition order.
    Inline {
        #[serde(with = "crate::base64_bytes")]
        bytes: Vec<u8>,
    },
}

impl std::fmt::Debug for OutputLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OutputLocation::Object { key, size_bytes, .. } => write!(f, "Object({key}, {size_bytes} bytes)"),
            OutputLocation::Inline { bytes } => write!(f, "Inline({} bytes)", bytes.len()),
        }
    }
}

/// One partition of an output. Partitions lie one after another, so offsets are sums of lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionEntry {
    #[serde(rename = "l")]
    pub len_bytes: u64,
    #[serde(rename = "r")]
    pub rows: u64,
    #[serde(rename = "d")]
    pub digest: PartitionDigest,
}

/// A published output and its index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub location: OutputLocation,
    /// One entry per partition of the stage's exchange.
    pub partitions: Vec<PartitionEntry>,
}

impl Output {
    pub fn rows(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.rows).sum()
    }

    pub fn len_bytes(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.len_bytes).sum()
    }
}

/// What the attempt saw, for people and for later decisions; never for answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskStatistics {
    pub rows_scanned: u64,
    pub bytes_scanned: u64,
    pub rows_read: u64,
    pub rows_written: u64,
    pub spilled_bytes: u64,
    pub memory_peak_bytes: u64,
    pub cpu_ms: u64,
    pub elapsed_ms: u64,
    /// How long at least one read of S3 was under way; the rest of the task may have worked meanwhile.
    #[serde(skip_serializing_if = "is_zero")]
    pub read_ms: u64,
    /// How long publishing the output took.
    #[serde(skip_serializing_if = "is_zero")]
    pub write_ms: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The answer to a [`crate::TaskSpec`] that succeeded. It is the Invoke's response and the footer of the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskReport {
    pub attempt: AttemptId,
    pub nonce: Nonce,
    pub output: Output,
    pub pin_digest: Digest,
    /// S3 requests that the attempt made. What the platform bills for (invocation, milliseconds) is seen by the driver.
    pub meter: Meter,
    pub statistics: TaskStatistics,
}
