//! What can go wrong at S3.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum S3Fault {
    /// 503 `SlowDown`, nothing applied.
    SlowDown,
    /// 500 `InternalError`, nothing applied.
    InternalError,
    /// The connection is reset before an answer; nothing applied.
    Reset,
    /// A GET announces the right length and ends early.
    Truncate,
    /// One bit of a GET's body is flipped.
    FlipBit,
    /// A GET's body trickles.
    Slow { bytes_per_s: u64 },
    /// A write is applied and answered 500.
    AppliedButError,
    /// A write is applied and its answer lost: the connection is reset.
    AppliedButReset,
    /// A write finds the disk full: 500 `InternalError`, nothing applied, the old object stands.
    DiskFull,
}
