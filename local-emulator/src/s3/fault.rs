//! What can go wrong at S3.

use serde::{Deserialize, Serialize};

use crate::count::S3Operation;

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

impl S3Fault {
    /// Some faults are of reads or of writes alone.
    pub(super) fn may_strike(&self, operation: S3Operation) -> bool {
        match self {
            S3Fault::SlowDown | S3Fault::InternalError | S3Fault::Reset => true,
            S3Fault::Truncate | S3Fault::FlipBit | S3Fault::Slow { .. } => operation == S3Operation::Get,
            S3Fault::AppliedButError | S3Fault::AppliedButReset | S3Fault::DiskFull => is_write(operation),
        }
    }
}

fn is_write(operation: S3Operation) -> bool {
    use S3Operation::*;
    matches!(
        operation,
        Put | Copy | Delete | MultipartCreate | MultipartPart | MultipartComplete | MultipartAbort | CreateBucket
    )
}
