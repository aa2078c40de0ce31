//! Stage plans as bytes: DataFusion's physical protobuf with nodes of ours, behind a version.
//!
//! ```text
//! ┌──────────┬─────────────┬────────────────────────────────────────────┐
//! │ "MFPLAN" │ version u16 │ protobuf { schema of the root, root node } │
//! └──────────┴─────────────┴────────────────────────────────────────────┘
//! ```
//!
//! The planner's schema travels beside the plan: operators recompute theirs when they are built, and a stage whose schema came out
//! different would be read wrongly by the next. What the sender can find out (a plan that nests too deep, a node without a
//! protobuf) it finds out when encoding, so that the query is refused at planning and not in an executor.

mod functions;
mod guard;
mod nodes;
mod recursive;
mod wire;

use crate::error::FragmentError;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalPlanDecodeContext, PhysicalProtoConverterExtension};
use guard::Guard;
use mayfly_protocol::limits::PLAN_BYTES_MAX;
use mayfly_protocol::{Digest, PlanBytes};
use nodes::NodeCodec;
use prost::Message;
use std::sync::Arc;

const MAGIC: &[u8; 6] = b"MFPLAN";

/// Version of encoded plans: DataFusion's protobuf has none of its own, so it counts both.
pub const PLAN_VERSION: u16 = 3;

const HEADER_BYTES: usize = MAGIC.len() + size_of::<u16>();

/// Serializes a plan whose leaves are scans and exchange inputs, and checks that the executor will take it.
pub fn encode(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<u8>, FragmentError> {
    let codec = NodeCodec::default();
    let guard = Guard::new(&codec);
    let root = guard.execution_plan_to_proto(plan, &codec);
    let root = root.map_err(|cause| guard.refusal().unwrap_or(FragmentError::Encode(cause)))?;
    let schema = plan.schema().as_ref().try_into();
    let envelope = wire::Plan {
        schema: Some(schema.map_err(|cause| FragmentError::Encode(DataFusionError::External(Box::new(cause))))?),
        root: Some(root),
    };
    let mut bytes = Vec::with_capacity(HEADER_BYTES + envelope.encoded_len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&PLAN_VERSION.to_le_bytes());
    envelope.encode(&mut bytes).expect("a vector grows as needed");
    open(&bytes)?;
    Ok(bytes)
}

/// Verifies the digest, then builds the plan. Its leaves are not bound yet.
pub fn decode(plan: &PlanBytes, context: &TaskContext) -> Result<Arc<dyn ExecutionPlan>, FragmentError> {
    let seen = Digest::of(&plan.bytes);
    if seen != plan.digest {
        let expected = plan.digest;
        return Err(FragmentError::Digest { expected, seen });
    }
    let (schema, root) = open(&plan.bytes)?;
    let codec = NodeCodec::default();
    let scope = PhysicalPlanDecodeContext::new(context, &codec);
    let guard = Guard::new(&codec);
    let built = guard.proto_to_execution_plan(&root, &scope);
    let built = built.map_err(|cause| guard.refusal().unwrap_or(FragmentError::Decode(cause)))?;
    same_schema(&schema, &built.schema())?;
    Ok(built)
}

/// Checks version and size, and reads the outermost message.
fn open(bytes: &[u8]) -> Result<(SchemaRef, datafusion_proto::protobuf::PhysicalPlanNode), FragmentError> {
    if bytes.len() > PLAN_BYTES_MAX {
        let bytes = bytes.len();
        return Err(FragmentError::TooLarge { bytes });
    }
    let header = bytes
        .split_at_checked(HEADER_BYTES)
        .filter(|(header, _)| header.starts_with(MAGIC));
    let (header, body) = header.ok_or(FragmentError::NotAPlan)?;
    let found = u16::from_le_bytes([header[MAGIC.len()], header[MAGIC.len() + 1]]);
    if found != PLAN_VERSION {
        return Err(FragmentError::Version { found });
    }
    let envelope = wire::Plan::decode(body).map_err(FragmentError::Message)?;
    let (schema, root) = envelope.schema.zip(envelope.root).ok_or(FragmentError::NotAPlan)?;
    let schema = Schema::try_from(&schema).map_err(|cause| FragmentError::Decode(cause.into()))?;
    Ok((Arc::new(schema), root))
}

/// Names and types must be the planner's; a column may have become non-null, never nullable.
fn same_schema(planned: &Schema, built: &Schema) -> Result<(), FragmentError> {
    let same = planned.fields().len() == built.fields().len()
        && planned.fields().iter().zip(built.fields()).all(|(planned, built)| {
            planned.name() == built.name()
                && planned.data_type() == built.data_type()
                && (planned.is_nullable() || !built.is_nullable())
        });
    if same {
        return Ok(());
    }
    let (planned, built) = (format!("{planned}"), format!("{built}"));
    Err(FragmentError::Schema { planned, built })
}
