//! The scan leaf at planning time: which columns and rows of a table are wanted, but not from which files.
//!
//! It declares at least two partitions whatever the table's size, so that DataFusion plans exchanges above it. On the executor the
//! leaf is replaced by a `DataSourceExec` over the task's splits (see `bind::scan`); unbound, it cannot run.

use super::no_child;
use crate::sample::{Sample, SampleUnit};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::utils::{collect_columns, conjunction, split_conjunction};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType, apply_expression_roots};
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::projection::{ProjectionExec, all_columns};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions, statistics::StatisticsArgs,
};
use mayfly_protocol::FileFormat;
use std::fmt;
use std::sync::Arc;

/// Partitions that a scan declares unless told otherwise. With one, DataFusion would plan no exchange at all.
pub const SCAN_PARTITIONS_DEFAULT: usize = 2;

/// Leaf of a plan that scans a table.
#[derive(Clone, Debug)]
pub struct SplitScanExec {
    /// Ordinal by which `TaskSpec::scans` names this leaf, unique within the stage.
    pub scan: u32,
    /// Name of the table, for people.
    pub table: Arc<str>,
    /// All columns of the table, those of its folders last; `projection` and `predicate` count in it.
    pub table_schema: SchemaRef,
    /// How many of the columns are folders'.
    pub partition_columns: usize,
    pub format: FileFormat,
    pub projection: Vec<usize>,
    /// Rows that cannot match may be left out, by whole row groups, pages or rows: a filter above still decides.
    pub predicate: Option<Arc<dyn PhysicalExpr>>,
    /// Whether the predicate's columns are decoded first, and of the others only the rows that it keeps.
    pub late: bool,
    /// What of its rows there is to be scanned, if not all.
    pub sample: Option<Sample>,
    /// Rows that suffice, from any split.
    pub limit: Option<usize>,
    /// Statistics of the whole table, over all its columns.
    pub statistics: Arc<Statistics>,
    properties: Arc<PlanProperties>,
}

impl SplitScanExec {
    /// Scans the projected columns (all with `None`) of all rows.
    pub fn new(
        scan: u32,
        table: impl Into<Arc<str>>,
        table_schema: SchemaRef,
        projection: Option<Vec<usize>>,
    ) -> Result<SplitScanExec> {
        let projection = projection.unwrap_or_else(|| (0..table_schema.fields().len()).collect());
        let statistics = Arc::new(Statistics::new_unknown(&table_schema));
        Ok(SplitScanExec {
            scan,
            table: table.into(),
            properties: properties(&table_schema, &projection, SCAN_PARTITIONS_DEFAULT)?,
            table_schema,
            partition_columns: 0,
            format: FileFormat::Parquet,
            projection,
            predicate: None,
            late: false,
            sample: None,
            limit: None,
            statistics,
        })
    }

    /// How its files are written, and how many of the last columns their folders name.
    pub fn with_files(mut self, format: FileFormat, partition_columns: usize) -> SplitScanExec {
        self.format = format;
        self.partition_columns = partition_columns;
        self
    }

    pub fn with_scan(mut self, scan: u32) -> SplitScanExec {
        self.scan = scan;
        self
    }

    /// Adds filters over the table's schema, each once; those that a scan cannot evaluate are left to the filter above.
    pub fn with_filters(mut self, filters: impl IntoIterator<Item = Arc<dyn PhysicalExpr>>) -> SplitScanExec {
        let mut kept: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
        for filter in self.predicate.take().into_iter().chain(filters) {
            for part in split_conjunction(&filter) {
                if is_scannable(part) && !kept.contains(part) {
                    kept.push(Arc::clone(part));
                }
            }
        }
        self.predicate = (!kept.is_empty()).then(|| conjunction(kept));
        self
    }

    /// Whether columns are materialized late: only where few rows stay.
    pub fn with_late(mut self, late: bool) -> SplitScanExec {
        self.late = late;
        self
    }

    pub fn with_sample(mut self, sample: Option<Sample>) -> SplitScanExec {
        self.sample = sample;
        self
    }

    pub fn with_limit(mut self, limit: Option<usize>) -> SplitScanExec {
        self.limit = limit;
        self
    }

    pub fn with_partitions(mut self, partitions: usize) -> Result<SplitScanExec> {
        self.properties = properties(&self.table_schema, &self.projection, partitions.max(1))?;
        Ok(self)
    }

    pub fn with_statistics(mut self, statistics: Statistics) -> SplitScanExec {
        self.statistics = Arc::new(statistics);
        self
    }

    pub fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    /// The same scan of some of its columns.
    fn narrowed(&self, columns: &[usize]) -> Result<SplitScanExec> {
        let projection: Vec<usize> = columns.iter().map(|&column| self.projection[column]).collect();
        Ok(SplitScanExec {
            properties: properties(&self.table_schema, &projection, self.partitions())?,
            projection,
            ..self.clone()
        })
    }

    /// A filter over the scan's output, restated over the table's columns.
    fn restate(&self, filter: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
        filter
            .transform(|expr| match expr.downcast_ref::<Column>() {
                Some(column) => {
                    let at = self.projection[column.index()];
                    let name = self.table_schema.field(at).name();
                    Ok(Transformed::yes(Arc::new(Column::new(name, at)) as _))
                }
                None => Ok(Transformed::no(expr)),
            })
            .data()
    }

    fn projected_names(&self) -> Vec<&str> {
        let name = |&column: &usize| self.table_schema.field(column).name().as_str();
        self.projection.iter().map(name).collect()
    }
}

fn properties(table_schema: &SchemaRef, projection: &[usize], partitions: usize) -> Result<Arc<PlanProperties>> {
    let schema = Arc::new(table_schema.project(projection)?);
    let properties = PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions),
        EmissionType::Incremental,
        Boundedness::Bounded,
    );
    // What replaces the leaf yields by itself, so no `CooperativeExec` is wanted above it.
    Ok(Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)))
}

/// Whether a scan can evaluate the filter by itself: it must name a column, give the same answer wherever it runs, and depend on
/// nothing that the plan computes while it runs (scalar subqueries, dynamic filters of the planner's own process).
fn is_scannable(filter: &Arc<dyn PhysicalExpr>) -> bool {
    !collect_columns(filter).is_empty() && !is_volatile(filter) && !depends_on_the_run(filter)
}

fn depends_on_the_run(expr: &Arc<dyn PhysicalExpr>) -> bool {
    use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
    use datafusion::physical_plan::expressions::DynamicFilterPhysicalExpr;
    expr.downcast_ref::<ScalarSubqueryExpr>().is_some()
        || expr.downcast_ref::<DynamicFilterPhysicalExpr>().is_some()
        || expr.children().into_iter().any(depends_on_the_run)
}

impl DisplayAs for SplitScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SplitScanExec: {} scan={}", self.table, self.scan)?;
        if self.format != FileFormat::Parquet {
            write!(f, ", format={}", self.format)?;
        }
        write!(f, ", columns=[{}]", self.projected_names().join(", "))?;
        if let Some(predicate) = &self.predicate {
            write!(f, ", predicate={predicate}")?;
        }
        if self.late {
            f.write_str(", late")?;
        }
        if let Some(sample) = &self.sample {
            let unit = match sample.unit {
                SampleUnit::Row => "rows",
                SampleUnit::Block => "blocks",
            };
            write!(f, ", sample={} of {unit}", sample.share)?;
        }
        self.limit.map_or(Ok(()), |limit| write!(f, ", limit={limit}"))
    }
}

impl ExecutionPlan for SplitScanExec {
    fn name(&self) -> &'static str {
        "SplitScanExec"
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
        no_child("SplitScanExec", &children)?;
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        no_child("SplitScanExec", &children)?;
        Ok(self)
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.predicate, f)
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        exec_err!("scan {} of {} is not bound to splits", self.scan, self.table)
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let whole = self.statistics.as_ref().clone().project(Some(&self.projection));
        // Exact figures answer `count(*)` without a scan, so they may only stand where every row is scanned.
        let narrowed =
            self.predicate.is_some() || self.limit.is_some() || self.sample.is_some() || args.partition().is_some();
        let mut statistics = if narrowed { whole.to_inexact() } else { whole };
        if args.partition().is_some() {
            let share = |count: usize| count.div_ceil(self.partitions());
            statistics.num_rows = statistics.num_rows.map(share);
            statistics.total_byte_size = statistics.total_byte_size.map(share);
        }
        Ok(Arc::new(statistics))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(Arc::new(self.clone().with_limit(limit)))
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    /// Takes over projections that only choose columns.
    fn try_swapping_with_projection(&self, projection: &ProjectionExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if !all_columns(projection.expr()) {
            return Ok(None);
        }
        let mut columns = Vec::new();
        for expr in projection.expr() {
            let column = expr
                .expr
                .downcast_ref::<Column>()
                .filter(|column| column.name() == expr.alias);
            match column.map(Column::index) {
                Some(index) if !columns.contains(&index) => columns.push(index),
                // A renamed or repeated column needs the projection.
                _ => return Ok(None),
            }
        }
        Ok(Some(Arc::new(self.narrowed(&columns)?)))
    }

    /// Remembers filters for pruning and answers that it does not apply them: the filter above stays.
    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        child_pushdown_result: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let refused = vec![PushedDown::No; child_pushdown_result.parent_filters.len()];
        let answer = FilterPushdownPropagation::with_parent_pushdown_result(refused);
        // Dynamic filters arrive in the later phase. They live in one process, so the executor pushes its own.
        if matches!(phase, FilterPushdownPhase::Post) {
            return Ok(answer);
        }
        let filters = child_pushdown_result.parent_filters.into_iter();
        let filters: Vec<_> = filters
            .map(|result| self.restate(result.filter))
            .collect::<Result<_>>()?;
        let filtered = self.clone().with_filters(filters);
        if filtered.predicate == self.predicate {
            return Ok(answer);
        }
        Ok(answer.with_updated_node(Arc::new(filtered)))
    }
}
