//! What a scan must read: the files whose folders its predicate does not rule out, of these the row groups that it cannot rule out by
//! footer statistics, of these the pages that it cannot rule out by their index, and no more than its limit needs. Which pages is found
//! again where they are read; here it counts whether there are any, and how much.

use super::folders;
use crate::provider::Scans;
use crate::statistics::TEXT_ROW_BYTES;
use arrow::datatypes::Schema;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::datasource::physical_plan::parquet::{
    PagePruningAccessPlanFilter, ParquetAccessPlan, ParquetFileMetrics, RowGroupAccess, RowGroupAccessPlanFilter,
};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use mayfly_catalog::{Footer, Sample, Table, TableFile};
use mayfly_fragment::SplitScanExec;
use mayfly_protocol::{FileFormat, FileRange};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Text is cut into pieces of about so many bytes.
const TEXT_PIECE_BYTES: u64 = 8 << 20;

/// A row group to read, or a piece of a text file.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub file: Arc<TableFile>,
    pub range: FileRange,
    /// Of text, a guess; never 0.
    pub rows: u64,
    /// Compressed bytes of the columns that the scan reads; of text, all bytes.
    pub bytes: u64,
}

/// What a scan must read.
#[derive(Clone, Debug)]
pub(crate) struct Pruned {
    pub table: Arc<Table>,
    /// In the order of files, and in a file from front to back.
    pub pieces: Vec<Piece>,
    /// Row groups of all files; pieces, of text.
    pub pieces_total: usize,
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
    let predicate = Predicate::of(scan);
    let folders = folders::kept(scan, &table);
    let sample = unread_parquet(&table).then(|| table.sample()).flatten();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut pieces_total = 0;
    for (at, file) in table.files.iter().enumerate() {
        let of_file = match &file.footer {
            Some(footer) => {
                pieces_total += footer.row_groups.len();
                match folders.keeps(at) {
                    true => row_groups(file, footer, &scan.table_schema, predicate.as_ref(), &columns),
                    false => Vec::new(),
                }
            }
            None => match &sample {
                Some(sample) => vec![whole(file, sample, &columns)],
                None => text(file, table.format.is_splittable(&file.key)),
            },
        };
        if file.footer.is_none() {
            pieces_total += of_file.len();
        }
        if folders.keeps(at) {
            pieces.extend(of_file);
        }
    }
    // A row group without rows has nothing to read.
    pieces.retain(|piece| piece.rows > 0);
    if let (Some(limit), None, true) = (scan.limit, &scan.predicate, table.has_footers()) {
        suffice(&mut pieces, limit as u64);
    }
    Pruned {
        table,
        pieces,
        pieces_total,
    }
}

/// Whether some of the table's Parquet files are known by name and size only.
fn unread_parquet(table: &Table) -> bool {
    table.format == FileFormat::Parquet && !table.has_footers()
}

/// A Parquet file whose footer is not known.
fn whole(file: &Arc<TableFile>, sample: &Sample, columns: &[usize]) -> Piece {
    Piece {
        file: file.clone(),
        range: FileRange::All,
        rows: sample.rows_of(file.size_bytes),
        bytes: sample.bytes_of(file.size_bytes, columns),
    }
}

fn row_groups(
    file: &Arc<TableFile>,
    footer: &Footer,
    schema: &Schema,
    predicate: Option<&Predicate>,
    columns: &[usize],
) -> Vec<Piece> {
    let kept = kept_row_groups(file, footer, schema, predicate).into_iter();
    let piece = |(at, rows): (usize, u64)| {
        let group = &footer.row_groups[at];
        let start = u32::try_from(at).unwrap_or(u32::MAX - 1);
        let bytes = u128::from(group.bytes_of(columns)) * u128::from(rows) / u128::from(group.rows.max(1));
        Piece {
            file: file.clone(),
            range: FileRange::RowGroups { start, end: start + 1 },
            rows,
            // A scan of no column still reads the footer.
            bytes: (bytes as u64).max(1),
        }
    };
    kept.map(piece).collect()
}

fn text(file: &Arc<TableFile>, splittable: bool) -> Vec<Piece> {
    let size = file.size_bytes;
    let piece = |range: FileRange, bytes: u64| Piece {
        file: file.clone(),
        range,
        rows: bytes.div_ceil(TEXT_ROW_BYTES).max(1),
        bytes,
    };
    let count = size.div_ceil(TEXT_PIECE_BYTES).max(1);
    if !splittable || count == 1 {
        return vec![piece(FileRange::All, size)];
    }
    let at = |nth: u64| (u128::from(size) * u128::from(nth) / u128::from(count)) as u64;
    let pieces = (0..count).map(|nth| (at(nth), at(nth + 1)));
    pieces
        .map(|(start, end)| piece(FileRange::Bytes { start, end }, end - start))
        .collect()
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

/// A scan's condition, as it is put to the statistics of row groups and of pages.
struct Predicate {
    row_groups: PruningPredicate,
    pages: PagePruningAccessPlanFilter,
}

impl Predicate {
    fn of(scan: &SplitScanExec) -> Option<Predicate> {
        let predicate = scan.predicate.clone()?;
        let pages = PagePruningAccessPlanFilter::new(&predicate, scan.table_schema.clone());
        let row_groups = PruningPredicateBuilder::new()
            .with_file_schema(scan.table_schema.clone())
            .try_build(predicate);
        row_groups.ok().map(|row_groups| Predicate { row_groups, pages })
    }
}

/// Row groups that may hold rows of the predicate, and how many rows there are in pages that may.
fn kept_row_groups(
    file: &TableFile,
    footer: &Footer,
    schema: &Schema,
    predicate: Option<&Predicate>,
) -> Vec<(usize, u64)> {
    let groups = footer.metadata.row_groups();
    let all = ParquetAccessPlan::new_all(groups.len());
    let kept = match predicate {
        None => all,
        Some(predicate) => {
            let mut filter = RowGroupAccessPlanFilter::new(all);
            let metrics = ParquetFileMetrics::new(0, &file.key, &ExecutionPlanMetricsSet::new());
            let descriptor = footer.metadata.file_metadata().schema_descr();
            filter.prune_by_statistics(schema, descriptor, groups, &predicate.row_groups, &metrics);
            let pages = &predicate.pages;
            pages.prune_plan_with_page_index(filter.build(), schema, descriptor, &footer.metadata, &metrics)
        }
    };
    let rows = |at: usize| match &kept.inner()[at] {
        RowGroupAccess::Skip => 0,
        RowGroupAccess::Scan => footer.row_groups[at].rows,
        RowGroupAccess::Selection(selection) => selection.row_count() as u64,
    };
    kept.row_group_indexes().into_iter().map(|at| (at, rows(at))).collect()
}
