//! Why a plan cannot be shipped, read or bound.

use datafusion::common::DataFusionError;
use mayfly_protocol::Digest;
use mayfly_protocol::limits::{PLAN_BYTES_MAX, PLAN_DEPTH_MAX};

/// None of these is cured by trying again with the same plan.
#[derive(Debug, thiserror::Error)]
pub enum FragmentError {
    #[error("the plan cannot be sent to an executor")]
    Encode(#[source] DataFusionError),
    #[error("the plan has digest {seen}, not {expected}")]
    Digest { expected: Digest, seen: Digest },
    #[error("the plan takes {bytes} bytes, more than {PLAN_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("not a plan")]
    NotAPlan,
    #[error("the plan has version {found}, this build speaks {}", crate::PLAN_VERSION)]
    Version { found: u16 },
    /// Also where a plan nests too deep for protobuf.
    #[error("the plan cannot be read: it nests too deep, or is damaged")]
    Message(#[source] prost::DecodeError),
    #[error("the plan nests deeper than {PLAN_DEPTH_MAX}")]
    TooDeep,
    #[error("a plan may not hold a {name}")]
    NotAllowed { name: &'static str },
    #[error("the plan cannot be built")]
    Decode(#[source] DataFusionError),
    #[error("the plan yields {built}, not {planned}")]
    Schema { planned: String, built: String },
    #[error("the plan and its task do not fit")]
    Bind(#[source] DataFusionError),
    #[error("the spec binds {leaf}, which the plan lacks")]
    Unused { leaf: String },
    #[error("an intermediate result without rows was lost, and has rows now that it was made again")]
    NotEmpty,
    #[error("the root of the plan is not an output")]
    NoOutput,
    #[error("the plan writes {planned} partitions and is ordered to write {ordered}")]
    OutputPartitions { planned: u32, ordered: u32 },
    #[error("s3://{bucket}/{key} is not in a place that may be read")]
    Location { bucket: String, key: String },
}
