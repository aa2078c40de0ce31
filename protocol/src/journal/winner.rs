//! A winner as the journal holds it: enough to know its output again, and no more. An object describes itself, so of one only what
//! tells it from others is kept.

use crate::{AttemptId, Digest, Nonce, Output, OutputLocation, PartitionEntry, TaskReport};
use serde::{Deserialize, Serialize};

/// The attempt that won its task, and what it was pinned to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Won {
    pub attempt: AttemptId,
    pub nonce: Nonce,
    pub pin_digest: Digest,
    pub output: WonOutput,
}

/// What a winner published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WonOutput {
    /// Whole: it is nowhere else.
    Inline(Output),
    /// Its key follows from attempt and nonce, its index is in its footer.
    Object {
        etag: String,
        size_bytes: u64,
        index: Digest,
    },
}

impl WonOutput {
    pub fn of(output: &Output) -> WonOutput {
        match &output.location {
            OutputLocation::Inline { .. } => WonOutput::Inline(output.clone()),
            OutputLocation::Object { etag, size_bytes, .. } => WonOutput::Object {
                etag: etag.to_string(),
                size_bytes: *size_bytes,
                index: index_digest(&output.partitions),
            },
        }
    }
}

impl WonOutput {
    /// Whether it is what `of` makes of the output.
    pub fn is_of(&self, output: &Output) -> bool {
        match (self, &output.location) {
            (WonOutput::Inline(own), OutputLocation::Inline { .. }) => own == output,
            (
                WonOutput::Object {
                    etag,
                    size_bytes,
                    index,
                },
                OutputLocation::Object {
                    etag: other,
                    size_bytes: size,
                    ..
                },
            ) => **etag == **other && size_bytes == size && *index == index_digest(&output.partitions),
            _ => false,
        }
    }
}

impl Won {
    /// Whether the report, read from an object's footer, is this winner's.
    pub fn is_of(&self, report: &TaskReport) -> bool {
        let same = (&self.attempt, self.nonce, self.pin_digest) == (&report.attempt, report.nonce, report.pin_digest);
        same && self.output.is_of(&report.output)
    }
}

/// Digest over lengths, rows and digests of all partitions, in order.
fn index_digest(partitions: &[PartitionEntry]) -> Digest {
    let numbers = partitions
        .iter()
        .flat_map(|entry| [entry.len_bytes, entry.rows, entry.digest.0]);
    let bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
    Digest::of(&bytes)
}
