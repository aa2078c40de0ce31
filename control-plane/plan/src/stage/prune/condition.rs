//! A scan's condition as it is put to the statistics of one file: restated over the file's own columns where these differ from the
//! table's, once for each layout of columns that files have.

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::datasource::physical_plan::parquet::{
    PagePruningAccessPlanFilter, ParquetAccessPlan, ParquetFileMetrics, RowGroupAccess, RowGroupAccessPlanFilter,
};
use datafusion::physical_expr::simplifier::PhysicalExprSimplifier;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};
use datafusion::physical_expr_adapter::PhysicalExprAdapterFactory as _;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use mayfly_catalog::{Footer, TableFile};
use mayfly_fragment::{ByName, SplitScanExec};
use std::sync::Arc;

use crate::provider::viewed;

/// Layouts that are looked at. Files beyond them are not pruned here; where they are read, they are.
const LAYOUTS_MAX: usize = 64;

/// The condition of one scan.
pub(super) struct Condition {
    predicate: Option<Arc<dyn PhysicalExpr>>,
    /// The table's columns that files hold.
    held: SchemaRef,
    layouts: Vec<Layout>,
}

/// Files of these columns.
struct Layout {
    columns: Arc<Schema>,
    /// The same as a scan yields them.
    scanned: SchemaRef,
    tests: Option<Tests>,
}

/// As it is put to row groups and to pages.
struct Tests {
    row_groups: PruningPredicate,
    pages: PagePruningAccessPlanFilter,
}

impl Condition {
    pub(super) fn of(scan: &SplitScanExec) -> Condition {
        let fields = scan.table_schema.fields();
        let held = fields.len() - scan.partition_columns;
        let is_held = |part: &&Arc<dyn PhysicalExpr>| collect_columns(part).iter().all(|column| column.index() < held);
        let parts = scan.predicate.iter().flat_map(|predicate| split_conjunction(predicate));
        let parts: Vec<_> = parts.filter(is_held).cloned().collect();
        Condition {
            predicate: (!parts.is_empty()).then(|| conjunction(parts)),
            held: Arc::new(Schema::new(fields[..held].to_vec())),
            layouts: Vec::new(),
        }
    }

    /// Row groups that may hold rows that pass, and how many rows there are in pages that may.
    pub(super) fn kept(&mut self, file: &TableFile, footer: &Footer) -> Vec<(usize, u64)> {
        let groups = footer.metadata.row_groups();
        let all = ParquetAccessPlan::new_all(groups.len());
        let kept = match self.layout(footer) {
            Some(Layout {
                scanned,
                tests: Some(tests),
                ..
            }) => {
                let mut filter = RowGroupAccessPlanFilter::new(all);
                let metrics = ParquetFileMetrics::new(0, &file.key, &ExecutionPlanMetricsSet::new());
                let descriptor = footer.metadata.file_metadata().schema_descr();
                filter.prune_by_statistics(scanned, descriptor, groups, &tests.row_groups, &metrics);
                let plan = filter.build();
                tests
                    .pages
                    .prune_plan_with_page_index(plan, scanned, descriptor, &footer.metadata, &metrics)
            }
            _ => all,
        };
        let rows = |at: usize| match &kept.inner()[at] {
            RowGroupAccess::Skip => 0,
            RowGroupAccess::Scan => footer.row_groups[at].rows,
            RowGroupAccess::Selection(selection) => selection.row_count() as u64,
        };
        kept.row_group_indexes().into_iter().map(|at| (at, rows(at))).collect()
    }

    fn layout(&mut self, footer: &Footer) -> Option<&Layout> {
        let predicate = self.predicate.as_ref()?;
        let is_it = |layout: &Layout| Arc::ptr_eq(&layout.columns, &footer.schema) || layout.columns == footer.schema;
        let at = match self.layouts.iter().position(is_it) {
            Some(at) => at,
            None if self.layouts.len() == LAYOUTS_MAX => return None,
            None => {
                self.layouts.push(Layout::of(predicate, &self.held, &footer.schema));
                self.layouts.len() - 1
            }
        };
        self.layouts.get(at)
    }
}

impl Layout {
    fn of(predicate: &Arc<dyn PhysicalExpr>, held: &SchemaRef, columns: &Arc<Schema>) -> Layout {
        let scanned = Arc::new(viewed(columns));
        let tests = restated(predicate, held, &scanned).and_then(|predicate| Tests::of(predicate, &scanned));
        Layout {
            columns: Arc::clone(columns),
            scanned,
            tests,
        }
    }
}

/// The predicate over the file's columns, or none if it cannot be said in them.
fn restated(predicate: &Arc<dyn PhysicalExpr>, held: &SchemaRef, file: &SchemaRef) -> Option<Arc<dyn PhysicalExpr>> {
    let adapter = ByName.create(Arc::clone(held), Arc::clone(file)).ok()?;
    let restated = adapter.rewrite(Arc::clone(predicate)).ok()?;
    PhysicalExprSimplifier::new(file).simplify(restated).ok()
}

impl Tests {
    fn of(predicate: Arc<dyn PhysicalExpr>, columns: &SchemaRef) -> Option<Tests> {
        let pages = PagePruningAccessPlanFilter::new(&predicate, Arc::clone(columns));
        let row_groups = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(columns))
            .try_build(predicate);
        row_groups.ok().map(|row_groups| Tests { row_groups, pages })
    }
}
