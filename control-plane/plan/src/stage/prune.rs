//! Which row groups a scan must read: those that its predicate cannot rule out by footer statistics, and no more than its limit needs.

use crate::provider::Scans;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, ParquetFileMetrics, RowGroupAccessPlanFilter};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use mayfly_catalog::{Table, TableFile};
use mayfly_fragment::SplitScanExec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A row group to read.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub file: Arc<TableFile>,
    pub row_group: u32,
    pub rows: u64,
    /// Compressed bytes of the columns that the scan reads.
    pub bytes: u64,
}

/// What a scan must read.
#[derive(Clone, Debug)]
pub(crate) struct Pruned {
    pub table: Arc<Table>,
    /// In file and row group order.
    pub pieces: Vec<Piece>,
    pub row_groups_total: usize,
}

impl Pruned {
    pub(crate) fn bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.bytes).sum()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.rows).sum()
    }

    pub(crate) fn files(&self) -> usize {
        let mut keys: Vec<&str> = self.pieces.iter().map(|piece| piece.file.key.as_str()).collect();
        keys.dedup();
        keys.len()
    }
}

/// The scans of a plan, by their ordinals.
pub(crate) type PrunedScans = BTreeMap<u32, Pruned>;

/// Prunes every scan of the plan.
pub(crate) fn scans(plan: &Arc<dyn ExecutionPlan>, scans: &Scans) -> Result<PrunedScans> {
    let mut pruned = PrunedScans::new();
    collect(plan, scans, &mut pruned)?;
    Ok(pruned)
}

fn collect(plan: &Arc<dyn ExecutionPlan>, scans: &Scans, pruned: &mut PrunedScans) -> Result<()> {
    if let Some(scan) = plan.downcast_ref::<SplitScanExec>() {
        let unknown = || internal_datafusion_err!("scan {} has no table", scan.scan);
        let table = scans.table(scan.scan).ok_or_else(unknown)?;
        pruned.insert(scan.scan, prune(scan, table));
    }
    plan.children()
        .into_iter()
        .try_for_each(|child| collect(child, scans, pruned))
}

fn prune(scan: &SplitScanExec, table: Arc<Table>) -> Pruned {
    let columns = columns_read(scan);
    let predicate = predicate(scan);
    let mut pieces: Vec<Piece> = Vec::new();
    for file in &table.files {
        let kept = row_groups(file, &table, predicate.as_ref());
        pieces.extend(kept.into_iter().map(|at| piece(file, at, &columns)));
    }
    // A row group without rows has nothing to read.
    pieces.retain(|piece| piece.rows > 0);
    if let (Some(limit), None) = (scan.limit, &scan.predicate) {
        suffice(&mut pieces, limit as u64);
    }
    Pruned {
        row_groups_total: table.files.iter().map(|file| file.row_groups.len()).sum(),
        table,
        pieces,
    }
}

/// Keeps the first row groups that together have `limit` rows. Only right where every row counts.
fn suffice(pieces: &mut Vec<Piece>, limit: u64) {
    let mut rows = 0;
    let enough = pieces.iter().position(|piece| {
        rows += piece.rows;
        rows >= limit
    });
    if let Some(last) = enough {
        pieces.truncate(last + 1);
    }
}

fn columns_read(scan: &SplitScanExec) -> Vec<usize> {
    let filtered = scan
        .predicate
        .iter()
        .flat_map(collect_columns)
        .map(|column| column.index());
    let mut columns: Vec<usize> = scan.projection.iter().copied().chain(filtered).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

fn predicate(scan: &SplitScanExec) -> Option<PruningPredicate> {
    let predicate = scan.predicate.clone()?;
    PruningPredicateBuilder::new()
        .with_file_schema(scan.table_schema.clone())
        .try_build(predicate)
        .ok()
}

fn row_groups(file: &TableFile, table: &Table, predicate: Option<&PruningPredicate>) -> Vec<usize> {
    let groups = file.metadata.row_groups();
    let Some(predicate) = predicate else {
        return (0..groups.len()).collect();
    };
    let mut filter = RowGroupAccessPlanFilter::new(ParquetAccessPlan::new_all(groups.len()));
    let metrics = ParquetFileMetrics::new(0, &file.key, &ExecutionPlanMetricsSet::new());
    let parquet_schema = file.metadata.file_metadata().schema_descr();
    filter.prune_by_statistics(&table.schema, parquet_schema, groups, predicate, &metrics);
    filter.row_group_indexes().collect()
}

fn piece(file: &Arc<TableFile>, at: usize, columns: &[usize]) -> Piece {
    let group = &file.row_groups[at];
    Piece {
        file: file.clone(),
        row_group: u32::try_from(at).unwrap_or(u32::MAX),
        rows: group.rows,
        // A scan of no column still reads the footer.
        bytes: group.bytes_of(columns).max(1),
    }
}
