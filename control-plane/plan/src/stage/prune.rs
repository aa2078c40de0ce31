//! What a scan must read: the files whose folders its predicate does not rule out, of these the row groups that it cannot rule out by
//! footer statistics, of these the pages that it cannot rule out by their index, and no more than its limit needs. Which pages is found
//! again where they are read; here it counts whether there are any, and how much.

mod condition;

use super::folders;
use crate::provider::Scans;
use crate::statistics::TEXT_ROW_BYTES;
use condition::Condition;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::ExecutionPlan;
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
    let mut condition = Condition::of(scan);
    let folders = folders::kept(scan, &table);
    let sample = unread_parquet(&table).then(|| table.sample()).flatten();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut pieces_total = 0;
    for (at, file) in table.files.iter().enumerate() {
        let of_file = match &file.footer {
            Some(footer) => {
                pieces_total += footer.row_groups.len();
                match folders.keeps(at) {
                    true => row_groups(file, footer, &table, &mut condition, &columns),
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
    table: &Table,
    condition: &mut Condition,
    columns: &[usize],
) -> Vec<Piece> {
    let held = table.schema.fields().len() - table.partition_columns;
    let places = footer.places(&table.schema.fields()[..held]);
    let columns: Vec<usize> = columns.iter().filter_map(|column| *places.get(*column)?).collect();
    let kept = condition.kept(file, footer).into_iter();
    let piece = |(at, rows): (usize, u64)| {
        let group = &footer.row_groups[at];
        let start = u32::try_from(at).unwrap_or(u32::MAX - 1);
        let bytes = u128::from(group.bytes_of(&columns)) * u128::from(rows) / u128::from(group.rows.max(1));
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
