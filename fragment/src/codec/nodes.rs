//! The shipped nodes that DataFusion has no messages for, ours and recursive queries, to and from their messages.

use super::wire::{self, NodeKind};
use super::{functions, recursive};
use crate::node::fence::FenceExec;
use crate::node::no_rows::NoRowsExec;
use crate::node::shuffle_read::ShuffleReadExec;
use crate::node::shuffle_write::{OutputPartitioning, ShuffleWriteExec};
use crate::node::split_scan::SplitScanExec;
use crate::sample::{Sample, SampleUnit};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result, internal_datafusion_err, internal_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::physical_planning_context::ScalarSubqueryResults;
use datafusion::logical_expr::{AggregateUDF, WindowUDF};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::work_table::WorkTableExec;
use datafusion_proto::physical_plan::from_proto::parse_physical_sort_exprs;
use datafusion_proto::physical_plan::to_proto::{serialize_physical_exprs, serialize_physical_sort_exprs};
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::{PhysicalExprNode, Schema as WireSchema};
use mayfly_protocol::limits::PARTITIONS_MAX;
use mayfly_protocol::{FileFormat, InputRead};
use prost::Message;
use std::sync::{Arc, Mutex};

/// Codec of our nodes, with the scalar subqueries in whose scope decoding stands: DataFusion hands these to its own nodes only.
#[derive(Debug, Default)]
pub struct NodeCodec {
    scopes: Mutex<Vec<Option<ScalarSubqueryResults>>>,
}

impl NodeCodec {
    pub fn enter(&self, results: Option<&ScalarSubqueryResults>) {
        self.lock().push(results.cloned());
    }

    pub fn leave(&self) {
        self.lock().pop();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Option<ScalarSubqueryResults>>> {
        self.scopes.lock().expect("no panic happens while the lock is held")
    }

    fn scoped<'a>(&'a self, context: &'a TaskContext) -> PhysicalPlanDecodeContext<'a> {
        let scope = PhysicalPlanDecodeContext::new(context, self);
        match self.lock().last().cloned().flatten() {
            Some(results) => scope.with_scalar_subquery_results(results),
            None => scope,
        }
    }
}

impl PhysicalExtensionCodec for NodeCodec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let node = wire::Node::decode(buf).map_err(|cause| DataFusionError::External(Box::new(cause)))?;
        let reader = Reader {
            scope: self.scoped(context),
            converter,
        };
        match (node.kind, inputs) {
            (Some(NodeKind::SplitScan(scan)), []) => reader.split_scan(scan),
            (Some(NodeKind::ShuffleRead(read)), []) => reader.shuffle_read(read),
            (Some(NodeKind::ShuffleWrite(write)), [input]) => reader.shuffle_write(write, input),
            (Some(NodeKind::NoRows(none)), [input]) => no_rows(none, input),
            (Some(NodeKind::Fence(_)), [input]) => Ok(Arc::new(FenceExec::new(Arc::clone(input)))),
            (Some(NodeKind::RecursiveQuery(query)), [first, next]) => recursive::decode_query(query, first, next),
            (Some(NodeKind::WorkTable(table)), []) => recursive::decode_work_table(table),
            _ => internal_err!("a node of ours is unknown or has {} inputs", inputs.len()),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let writer = Writer { codec: self, converter };
        let kind = if let Some(scan) = node.downcast_ref::<SplitScanExec>() {
            NodeKind::SplitScan(writer.split_scan(scan)?)
        } else if let Some(read) = node.downcast_ref::<ShuffleReadExec>() {
            NodeKind::ShuffleRead(writer.shuffle_read(read)?)
        } else if let Some(write) = node.downcast_ref::<ShuffleWriteExec>() {
            NodeKind::ShuffleWrite(writer.shuffle_write(write)?)
        } else if let Some(none) = node.downcast_ref::<NoRowsExec>() {
            NodeKind::NoRows(wire::NoRows {
                schema: Some(schema_to_wire(&none.schema())?),
            })
        } else if node.is::<FenceExec>() {
            NodeKind::Fence(wire::Fence {})
        } else if let Some(query) = node.downcast_ref::<RecursiveQueryExec>() {
            NodeKind::RecursiveQuery(recursive::encode_query(query)?)
        } else if let Some(table) = node.downcast_ref::<WorkTableExec>() {
            NodeKind::WorkTable(recursive::encode_work_table(table)?)
        } else {
            return internal_err!("{} cannot be sent to an executor", node.name());
        };
        let node = wire::Node { kind: Some(kind) };
        node.encode(buf)
            .map_err(|cause| DataFusionError::External(Box::new(cause)))
    }

    fn try_encode_udaf(&self, function: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
        functions::encode_aggregate(function, buf)
    }

    fn try_decode_udaf(&self, name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
        functions::decode_aggregate(name, buf)
    }

    fn try_encode_udwf(&self, function: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
        functions::encode_window(function, buf)
    }

    fn try_decode_udwf(&self, name: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
        functions::decode_window(name, buf)
    }
}

struct Writer<'a> {
    codec: &'a NodeCodec,
    converter: &'a dyn PhysicalProtoConverterExtension,
}

impl Writer<'_> {
    fn split_scan(&self, scan: &SplitScanExec) -> Result<wire::SplitScan> {
        let predicate = scan.predicate.as_ref();
        let predicate = predicate.map(|expr| self.converter.physical_expr_to_proto(expr, self.codec));
        Ok(wire::SplitScan {
            scan: scan.scan,
            table: scan.table.to_string(),
            table_schema: Some(schema_to_wire(&scan.table_schema)?),
            projection: scan.projection.iter().map(|&column| column as u32).collect(),
            predicate: predicate.transpose()?,
            limit: scan.limit.map(|limit| limit as u64),
            partitions: scan.partitions() as u32,
            format: format_to_wire(&scan.format)?,
            partition_columns: scan.partition_columns as u32,
            late: scan.late,
            sample: scan.sample.map(sample_to_wire),
        })
    }

    fn shuffle_read(&self, read: &ShuffleReadExec) -> Result<wire::ShuffleRead> {
        let ordering = read.ordering.iter().flat_map(|ordering| ordering.iter().cloned());
        Ok(wire::ShuffleRead {
            input: read.input,
            schema: Some(schema_to_wire(&read.schema())?),
            read: match read.read {
                InputRead::Partitions => wire::Read::Partitions,
                InputRead::All => wire::Read::All,
                InputRead::Merge => wire::Read::Merge,
            }
            .into(),
            partitions: read.partitions() as u32,
            hash_keys: serialize_physical_exprs(&read.hash_keys, self.codec, self.converter)?,
            ordering: serialize_physical_sort_exprs(ordering, self.codec, self.converter)?,
        })
    }

    fn shuffle_write(&self, write: &ShuffleWriteExec) -> Result<wire::ShuffleWrite> {
        let (scheme, keys) = match &write.partitioning {
            OutputPartitioning::Hash(keys, _) => (wire::Scheme::Hash, keys.as_slice()),
            OutputPartitioning::RoundRobin(_) => (wire::Scheme::RoundRobin, &[][..]),
            OutputPartitioning::Single => (wire::Scheme::Single, &[][..]),
        };
        Ok(wire::ShuffleWrite {
            scheme: scheme.into(),
            hash_keys: serialize_physical_exprs(keys, self.codec, self.converter)?,
            partitions: write.partitioning.partitions(),
        })
    }
}

struct Reader<'a> {
    scope: PhysicalPlanDecodeContext<'a>,
    converter: &'a dyn PhysicalProtoConverterExtension,
}

impl Reader<'_> {
    fn split_scan(&self, scan: wire::SplitScan) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = schema_from_wire(scan.table_schema)?;
        let projection: Vec<usize> = scan.projection.iter().map(|&column| column as usize).collect();
        if projection.iter().any(|&column| column >= schema.fields().len()) {
            return internal_err!("scan {} projects a column that its table lacks", scan.scan);
        }
        let partition_columns = scan.partition_columns as usize;
        if partition_columns > schema.fields().len() {
            return internal_err!("scan {} has more partition columns than columns", scan.scan);
        }
        let predicate = scan.predicate.iter().map(|expr| self.expr(expr, &schema));
        let predicate = predicate.collect::<Result<Vec<_>>>()?;
        let leaf = SplitScanExec::new(scan.scan, scan.table, schema, Some(projection))?
            .with_files(format_from_wire(&scan.format)?, partition_columns)
            .with_partitions(partitions(scan.partitions)?)?
            .with_filters(predicate)
            .with_late(scan.late)
            .with_sample(scan.sample.map(sample_from_wire))
            .with_limit(scan.limit.map(|limit| limit as usize));
        Ok(Arc::new(leaf))
    }

    fn shuffle_read(&self, read: wire::ShuffleRead) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = schema_from_wire(read.schema)?;
        let how = match wire::Read::try_from(read.read) {
            Ok(wire::Read::Partitions) => InputRead::Partitions,
            Ok(wire::Read::All) => InputRead::All,
            Ok(wire::Read::Merge) => InputRead::Merge,
            _ => return internal_err!("input {} is read in an unknown way", read.input),
        };
        let keys = self.exprs(&read.hash_keys, &schema)?;
        let ordering = parse_physical_sort_exprs(&read.ordering, &self.scope, &schema, self.converter)?;
        let leaf = ShuffleReadExec::new(read.input, schema, how, partitions(read.partitions)?).with_hash_keys(keys);
        Ok(match LexOrdering::new(ordering) {
            Some(ordering) => Arc::new(leaf.with_ordering(ordering)?),
            None => Arc::new(leaf),
        })
    }

    fn shuffle_write(
        &self,
        write: wire::ShuffleWrite,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let keys = self.exprs(&write.hash_keys, &input.schema())?;
        let count = partitions(write.partitions)? as u32;
        let partitioning = match wire::Scheme::try_from(write.scheme) {
            Ok(wire::Scheme::Hash) if !keys.is_empty() => OutputPartitioning::Hash(keys, count),
            Ok(wire::Scheme::RoundRobin) => OutputPartitioning::RoundRobin(count),
            Ok(wire::Scheme::Single) if count == 1 => OutputPartitioning::Single,
            _ => return internal_err!("an output is partitioned in an unknown way"),
        };
        Ok(Arc::new(ShuffleWriteExec::new(Arc::clone(input), partitioning)))
    }

    fn expr(&self, expr: &PhysicalExprNode, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
        self.converter.proto_to_physical_expr(expr, schema, &self.scope)
    }

    fn exprs(&self, exprs: &[PhysicalExprNode], schema: &Schema) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        exprs.iter().map(|expr| self.expr(expr, schema)).collect()
    }
}

fn no_rows(none: wire::NoRows, input: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(Arc::new(NoRowsExec::new(
        Arc::clone(input),
        schema_from_wire(none.schema)?,
    )))
}

fn sample_to_wire(sample: Sample) -> wire::Sample {
    wire::Sample {
        blocks: sample.unit == SampleUnit::Block,
        share: sample.share,
        seed: sample.seed,
    }
}

fn sample_from_wire(sample: wire::Sample) -> Sample {
    Sample {
        unit: match sample.blocks {
            true => SampleUnit::Block,
            false => SampleUnit::Row,
        },
        share: sample.share,
        seed: sample.seed,
    }
}

fn format_to_wire(format: &FileFormat) -> Result<String> {
    match format {
        FileFormat::Parquet => Ok(String::new()),
        text => serde_json::to_string(text).map_err(|cause| DataFusionError::External(Box::new(cause))),
    }
}

fn format_from_wire(format: &str) -> Result<FileFormat> {
    match format {
        "" => Ok(FileFormat::Parquet),
        text => serde_json::from_str(text).map_err(|cause| DataFusionError::External(Box::new(cause))),
    }
}

fn partitions(count: u32) -> Result<usize> {
    if count == 0 || count > PARTITIONS_MAX {
        return internal_err!("{count} partitions");
    }
    Ok(count as usize)
}

pub fn schema_to_wire(schema: &SchemaRef) -> Result<WireSchema> {
    WireSchema::try_from(schema.as_ref()).map_err(|cause| DataFusionError::External(Box::new(cause)))
}

pub fn schema_from_wire(schema: Option<WireSchema>) -> Result<SchemaRef> {
    let schema = schema.ok_or_else(|| internal_datafusion_err!("a leaf has no schema"))?;
    let schema = Schema::try_from(&schema).map_err(|cause| DataFusionError::External(Box::new(cause)))?;
    Ok(Arc::new(schema))
}
