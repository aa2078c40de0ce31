//! What may be in a plan, checked before each node is built: an allow-list of operators and a bound on nesting.
//!
//! Prost reads no message that nests deeper than 100 messages, and a plan of some dozen joins or CASEs does. So every few levels what
//! follows travels as bytes, which are a message of their own.
//!
//! Operators that read or write places of their own (file scans, sinks) are not on the list: rows enter a stage only through leaves
//! that the spec binds.

use super::nodes::NodeCodec;
use super::wire::{self, NodeKind};
use crate::error::FragmentError;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Literal, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::from_proto::parse_physical_expr_with_converter;
use datafusion_proto::physical_plan::to_proto::serialize_physical_expr_with_converter;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalPlanNodeExt, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::physical_expr_node::ExprType;
use datafusion_proto::protobuf::physical_plan_node::PhysicalPlanType;
use datafusion_proto::protobuf::{
    PhysicalExprNode, PhysicalExtensionExprNode, PhysicalExtensionNode, PhysicalPlanNode,
};
use mayfly_protocol::limits::PLAN_DEPTH_MAX;
use prost::Message;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Levels of operators and expressions in one message. A level takes up to five messages, a literal's type and value some more.
const MESSAGE_LEVELS: usize = 12;

/// Converter that DataFusion calls for every node and expression, from the root down.
pub struct Guard<'a> {
    codec: &'a NodeCodec,
    depth: Cell<usize>,
    refusal: RefCell<Option<FragmentError>>,
}

impl<'a> Guard<'a> {
    pub fn new(codec: &'a NodeCodec) -> Guard<'a> {
        Guard {
            codec,
            depth: Cell::new(0),
            refusal: RefCell::new(None),
        }
    }

    /// Why a plan was refused, in our own words, if it was.
    pub fn refusal(&self) -> Option<FragmentError> {
        self.refusal.borrow_mut().take()
    }

    fn refuse<T>(&self, why: FragmentError) -> Result<T> {
        let message = why.to_string();
        *self.refusal.borrow_mut() = Some(why);
        internal_err!("{message}")
    }

    /// One level deeper while `build` runs.
    fn nested<T>(&self, build: impl FnOnce() -> Result<T>) -> Result<T> {
        let depth = self.depth.get() + 1;
        if depth > PLAN_DEPTH_MAX {
            return self.refuse(FragmentError::TooDeep);
        }
        self.depth.set(depth);
        let built = build();
        self.depth.set(depth - 1);
        built
    }

    /// Whether the level that is being built begins a message of its own.
    fn begins_message(&self) -> bool {
        (self.depth.get() + 1).is_multiple_of(MESSAGE_LEVELS)
    }
}

fn external(cause: prost::DecodeError) -> DataFusionError {
    DataFusionError::External(Box::new(cause))
}

/// The node in a message of its own.
fn closed(node: &PhysicalPlanNode) -> PhysicalPlanNode {
    let kind = Some(NodeKind::Nested(node.encode_to_vec()));
    let node = wire::Node { kind }.encode_to_vec();
    let inputs = Vec::new();
    PhysicalPlanNode {
        physical_plan_type: Some(PhysicalPlanType::Extension(PhysicalExtensionNode { node, inputs })),
    }
}

/// What is in a node that travels as bytes.
fn opened(node: &PhysicalPlanNode) -> Result<Option<PhysicalPlanNode>> {
    let Some(PhysicalPlanType::Extension(extension)) = &node.physical_plan_type else {
        return Ok(None);
    };
    let node = wire::Node::decode(extension.node.as_slice()).map_err(external)?;
    match node.kind {
        Some(NodeKind::Nested(bytes)) => PhysicalPlanNode::decode(bytes.as_slice()).map(Some).map_err(external),
        _ => Ok(None),
    }
}

/// The same for an expression: no other of ours is an extension.
fn closed_expr(expr: &PhysicalExprNode) -> PhysicalExprNode {
    PhysicalExprNode {
        expr_id: None,
        expr_type: Some(ExprType::Extension(PhysicalExtensionExprNode {
            expr: expr.encode_to_vec(),
            inputs: Vec::new(),
        })),
    }
}

fn opened_expr(expr: &PhysicalExprNode) -> Result<Option<PhysicalExprNode>> {
    match &expr.expr_type {
        Some(ExprType::Extension(closed)) => {
            let opened = PhysicalExprNode::decode(closed.expr.as_slice());
            opened.map(Some).map_err(external)
        }
        _ => Ok(None),
    }
}

impl PhysicalProtoConverterExtension for Guard<'_> {
    fn proto_to_execution_plan(
        &self,
        node: &PhysicalPlanNode,
        scope: &PhysicalPlanDecodeContext<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let opened = opened(node)?;
        let node = opened.as_ref().unwrap_or(node);
        if let Err(name) = allowed(node) {
            return self.refuse(FragmentError::NotAllowed { name });
        }
        self.nested(|| {
            self.codec.enter(scope.scalar_subquery_results());
            let built = node.try_into_physical_plan_with_context(scope, self);
            self.codec.leave();
            built
        })
    }

    fn execution_plan_to_proto(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        codec: &dyn PhysicalExtensionCodec,
    ) -> Result<PhysicalPlanNode> {
        if plan.properties().partitioning.partition_count() == 0 {
            // Leaves of DataFusion's come back with one partition, and with a row where there was none.
            return internal_err!("{} has no partition", plan.name());
        }
        let node =
            self.nested(|| PhysicalPlanNode::try_from_physical_plan_with_converter(Arc::clone(plan), codec, self))?;
        match all_allowed(&node) {
            Ok(()) if self.begins_message() => Ok(closed(&node)),
            Ok(()) => Ok(node),
            Err(name) => self.refuse(FragmentError::NotAllowed { name }),
        }
    }

    fn proto_to_physical_expr(
        &self,
        expr: &PhysicalExprNode,
        schema: &Schema,
        scope: &PhysicalPlanDecodeContext<'_>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let opened = opened_expr(expr)?;
        let expr = opened.as_ref().unwrap_or(expr);
        self.nested(|| parse_physical_expr_with_converter(expr, schema, scope, self))
    }

    fn physical_expr_to_proto(
        &self,
        expr: &Arc<dyn PhysicalExpr>,
        codec: &dyn PhysicalExtensionCodec,
    ) -> Result<PhysicalExprNode> {
        let node = self.nested(|| serialize_physical_expr_with_converter(&halves_kept(expr), codec, self))?;
        Ok(match self.begins_message() {
            true => closed_expr(&node),
            false => node,
        })
    }
}

/// A half-precision literal as a cast: protobuf has no half precision, and would make it another type on the way.
fn halves_kept(expr: &Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    match expr.downcast_ref::<Literal>().map(Literal::value) {
        Some(ScalarValue::Float16(half)) => {
            let single: Arc<dyn PhysicalExpr> = lit(ScalarValue::Float32(half.map(f32::from)));
            Arc::new(CastExpr::new(single, DataType::Float16, None))
        }
        _ => Arc::clone(expr),
    }
}

/// Also what stands right below nodes of ours: DataFusion serializes that without asking the converter.
fn all_allowed(node: &PhysicalPlanNode) -> Result<(), &'static str> {
    allowed(node)?;
    match node.physical_plan_type.as_ref() {
        Some(PhysicalPlanType::Extension(extension)) => extension.inputs.iter().try_for_each(all_allowed),
        _ => Ok(()),
    }
}

/// The name of what is not allowed.
fn allowed(node: &PhysicalPlanNode) -> Result<(), &'static str> {
    use PhysicalPlanType as Type;
    let refused = match node.physical_plan_type.as_ref() {
        Some(
            Type::Aggregate(_)
            | Type::CoalesceBatches(_)
            | Type::Cooperative(_)
            | Type::CrossJoin(_)
            | Type::Empty(_)
            | Type::Extension(_)
            | Type::Filter(_)
            | Type::GenerateSeries(_)
            | Type::GlobalLimit(_)
            | Type::HashJoin(_)
            | Type::Interleave(_)
            | Type::LocalLimit(_)
            | Type::MemoryScan(_)
            | Type::Merge(_)
            | Type::NestedLoopJoin(_)
            | Type::PlaceholderRow(_)
            | Type::Projection(_)
            | Type::Repartition(_)
            | Type::ScalarSubquery(_)
            | Type::Sort(_)
            | Type::SortMergeJoin(_)
            | Type::SortPreservingMerge(_)
            | Type::Union(_)
            | Type::Unnest(_)
            | Type::Window(_),
        ) => return Ok(()),
        Some(Type::ParquetScan(_) | Type::CsvScan(_) | Type::JsonScan(_) | Type::AvroScan(_) | Type::ArrowScan(_)) => {
            "file scan"
        }
        Some(Type::JsonSink(_) | Type::CsvSink(_) | Type::ParquetSink(_)) => "file sink",
        Some(Type::Explain(_) | Type::Analyze(_)) => "explain",
        Some(Type::SymmetricHashJoin(_)) => "symmetric hash join",
        Some(Type::AsyncFunc(_)) => "asynchronous function",
        Some(Type::Buffer(_)) => "buffer",
        None => "empty node",
    };
    Err(refused)
}
