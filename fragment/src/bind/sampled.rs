//! A scan of Parquet that reads a sample. What it reads of a file hangs on the numbers of its rows and row groups, which are known once the
//! footer is: each split is opened as a scan of its own that is told which rows to read.

use super::reader::SplitReaderFactory;
use super::scan;
use crate::node::split_scan::SplitScanExec;
use crate::sample::{Draw, Sample};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::datasource::physical_plan::FileSource;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt};
use mayfly_protocol::{FileRange, Split};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::file::metadata::ParquetMetaData;
use std::fmt;
use std::sync::Arc;

/// The scan of a sample.
pub struct SampledScanExec {
    scan: SplitScanExec,
    sample: Sample,
    source: Arc<dyn FileSource>,
    readers: Arc<SplitReaderFactory>,
    /// The splits of each partition.
    shares: Vec<Vec<Split>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl fmt::Debug for SampledScanExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SampledScanExec");
        shown.field("scan", &self.scan).field("shares", &self.shares);
        shown.finish_non_exhaustive()
    }
}

impl SampledScanExec {
    pub fn new(
        scan: &SplitScanExec,
        sample: Sample,
        source: Arc<dyn FileSource>,
        readers: Arc<SplitReaderFactory>,
        shares: Vec<Vec<Split>>,
    ) -> SampledScanExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(scan.schema()),
            Partitioning::UnknownPartitioning(shares.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        SampledScanExec {
            scan: scan.clone(),
            sample,
            source,
            readers,
            shares,
            properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

/// The drawn rows of one split.
async fn open(
    scan: SplitScanExec,
    source: Arc<dyn FileSource>,
    readers: Arc<SplitReaderFactory>,
    draw: Draw,
    split: Split,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let footer = readers.footer(&split).await?;
    let rows = ParquetRowSelection::new(drawn(&footer, &split, draw));
    let file = scan::file(split, &scan)?.with_extension(rows);
    scan::data_source(&scan, source, vec![vec![file]])?.execute(0, context)
}

/// Of the rows of the split those that are drawn.
fn drawn(footer: &ParquetMetaData, split: &Split, draw: Draw) -> RowSelection {
    let own = match split.range {
        FileRange::RowGroups { start, end } => start as usize..end as usize,
        _ => 0..footer.num_row_groups(),
    };
    let (mut selectors, mut before): (Vec<RowSelector>, u64) = (Vec::new(), 0);
    for (group, rows) in footer
        .row_groups()
        .iter()
        .map(|group| group.num_rows() as u64)
        .enumerate()
    {
        if own.contains(&group) {
            for row in before..before + rows {
                add(&mut selectors, !draw.takes_row(group as u64, row));
            }
        }
        before += rows;
    }
    RowSelection::from(selectors)
}

/// One more row.
fn add(selectors: &mut Vec<RowSelector>, skip: bool) {
    match selectors.last_mut() {
        Some(last) if last.skip == skip => last.row_count += 1,
        _ => selectors.push(RowSelector { row_count: 1, skip }),
    }
}

impl DisplayAs for SampledScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SampledScanExec")
    }
}

impl ExecutionPlan for SampledScanExec {
    fn name(&self) -> &'static str {
        "SampledScanExec"
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
            _ => internal_err!("SampledScanExec has no input"),
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
        let (scan, source, readers) = (self.scan.clone(), Arc::clone(&self.source), Arc::clone(&self.readers));
        let sample = self.sample;
        let splits = futures::stream::iter(self.shares[partition].clone());
        let opened = splits.then(move |split| {
            let draw = sample.of_file(&split);
            open(
                scan.clone(),
                Arc::clone(&source),
                Arc::clone(&readers),
                draw,
                split,
                Arc::clone(&context),
            )
        });
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batches = opened.try_flatten().map(move |batch| batch.record_output(&metrics));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
