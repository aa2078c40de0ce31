//! A planned scan of text over a task's splits: CSV by each file's own header, JSON by the names of its members. What cannot be read is
//! named by file, line and column.

mod blocks;
mod csv;
mod failure;
mod json;
mod read;

use super::reader::ScanMeter;
use super::scan;
use crate::node::split_scan::SplitScanExec;
use crate::sample::Sample;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt};
use mayfly_protocol::{FileFormat, Split};
use std::fmt;
use std::sync::Arc;

/// What all files of the scan have in common.
#[derive(Debug)]
struct Wanted {
    format: FileFormat,
    /// The table's columns that files hold.
    held: SchemaRef,
    /// Of the table's columns, those that the scan yields; beyond the held ones, folders'.
    projection: Vec<usize>,
    schema: SchemaRef,
    sample: Option<Sample>,
    batch_rows: usize,
}

/// A scan of text.
#[derive(Debug)]
pub struct TextScanExec {
    wanted: Arc<Wanted>,
    /// The files of each partition, with the values of their folders.
    shares: Vec<Vec<(Split, Vec<ScalarValue>)>>,
    meter: Arc<ScanMeter>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TextScanExec {
    pub fn new(
        scan: &SplitScanExec,
        shares: Vec<Vec<(Split, Vec<ScalarValue>)>>,
        batch_rows: usize,
        meter: &Arc<ScanMeter>,
    ) -> TextScanExec {
        let fields = scan.table_schema.fields();
        let held = Arc::new(Schema::new(fields[..fields.len() - scan.partition_columns].to_vec()));
        let schema = scan.schema();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(shares.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let wanted = Wanted {
            format: scan.format.clone(),
            held,
            projection: scan.projection.clone(),
            schema,
            sample: scan.sample,
            batch_rows,
        };
        TextScanExec {
            wanted: Arc::new(wanted),
            shares,
            meter: Arc::clone(meter),
            properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for TextScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextScanExec")
    }
}

impl ExecutionPlan for TextScanExec {
    fn name(&self) -> &'static str {
        "TextScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.len() {
            0 => Ok(self),
            _ => internal_err!("TextScanExec has no input"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let store = context.runtime_env().object_store(scan::store_url()?)?;
        let (wanted, meter) = (Arc::clone(&self.wanted), Arc::clone(&self.meter));
        let splits = futures::stream::iter(self.shares[partition].clone());
        let batches = splits.map(move |(split, folders)| {
            let (wanted, store, meter) = (Arc::clone(&wanted), Arc::clone(&store), Arc::clone(&meter));
            Ok::<_, DataFusionError>(read::split(wanted, store, meter, split, folders))
        });
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batches = batches.try_flatten().map(move |batch| batch.record_output(&metrics));
        let stream = RecordBatchStreamAdapter::new(self.schema(), batches);
        Ok(Box::pin(cooperative(stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
