//! Statistics of a table, from its footers and folders, as DataFusion's optimizer wants them.

mod encoded;
mod file;

use crate::provider::scan_schema;
use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use mayfly_catalog::{LearnedStatistics, Table, TableFile};
use std::collections::HashSet;
use std::sync::Arc;

/// Bytes of a line of text of which nothing else is known.
pub(crate) const TEXT_ROW_BYTES: u64 = 100;

/// The table's statistics. Where a footer's cannot be read, they are unknown, never wrong.
pub(crate) fn of(table: &Table) -> Statistics {
    let columns = table.schema.fields().len() - table.partition_columns;
    let held: SchemaRef = Arc::new(Schema::new(scan_schema(table).fields()[..columns].to_vec()));
    let known = match table.has_footers() {
        true => of_files(table, &held),
        false => of_sample(table, &held),
    };
    let mut statistics = known.unwrap_or_else(|| guessed(table, &held));
    let folders = table.partitions.columns().iter().map(of_folders);
    statistics.column_statistics.extend(folders);
    if let Some(learned) = &table.learned {
        add_learned(table, learned, &mut statistics);
    }
    add_encoded(table, &mut statistics);
    statistics
}

/// What the encoding of texts tells, where nothing better is known.
fn add_encoded(table: &Table, statistics: &mut Statistics) {
    for (column, known) in statistics.column_statistics.iter_mut().enumerate() {
        if known.distinct_count == Precision::Absent
            && let Some(distinct) = encoded::distinct(table, column)
        {
            known.distinct_count = Precision::Inexact(distinct);
        }
    }
}

/// What only ANALYZE TABLE knows. Rows grow with the files; distinct values are taken to stay.
fn add_learned(table: &Table, learned: &LearnedStatistics, statistics: &mut Statistics) {
    let now = |number: u64| {
        let grown = u128::from(number) * u128::from(table.size_bytes()) / u128::from(learned.size_bytes.max(1));
        count(u64::try_from(grown).unwrap_or(u64::MAX))
    };
    if !table.has_footers() {
        statistics.num_rows = now(learned.rows);
        // DataFusion would compare bytes before rows, and those of text say little.
        statistics.total_byte_size = Precision::Absent;
    }
    for (field, known) in table.schema.fields().iter().zip(&mut statistics.column_statistics) {
        let Some(column) = learned.columns.iter().find(|column| column.name == *field.name()) else {
            continue;
        };
        if known.distinct_count == Precision::Absent {
            known.distinct_count = count(column.distinct);
        }
        if known.null_count == Precision::Absent {
            known.null_count = now(learned.rows.saturating_sub(column.values));
        }
    }
}

fn of_files(table: &Table, held: &SchemaRef) -> Option<Statistics> {
    let files: Option<Vec<Statistics>> = table.files.iter().map(|file| of_file(file, held)).collect();
    let files = files.filter(|files| !files.is_empty())?;
    Statistics::try_merge_iter(&files, held).ok()
}

/// From some files to all of them.
fn of_sample(table: &Table, held: &SchemaRef) -> Option<Statistics> {
    let sample = table.sample()?;
    let files: Vec<Statistics> = table.files.iter().filter_map(|file| of_file(file, held)).collect();
    let merged = Statistics::try_merge_iter(&files, held).ok()?.to_inexact();
    Some(Statistics {
        num_rows: count(sample.rows_of(table.size_bytes())),
        total_byte_size: Precision::Absent,
        ..merged
    })
}

fn count(number: u64) -> Precision<usize> {
    Precision::Inexact(usize::try_from(number).unwrap_or(usize::MAX))
}

fn of_file(file: &TableFile, held: &SchemaRef) -> Option<Statistics> {
    Some(file::of(file.footer.as_ref()?, held))
}

/// Of files that say nothing of themselves.
fn guessed(table: &Table, held: &SchemaRef) -> Statistics {
    let bytes = table.size_bytes();
    if table.files.iter().any(|file| file.footer.is_some()) {
        return Statistics::new_unknown(held);
    }
    Statistics {
        num_rows: count(bytes.div_ceil(TEXT_ROW_BYTES)),
        total_byte_size: count(bytes),
        ..Statistics::new_unknown(held)
    }
}

/// Inexact: a folder's files may hold no row.
fn of_folders(values: &ArrayRef) -> ColumnStatistics {
    let values = (0..values.len()).filter_map(|at| ScalarValue::try_from_array(values, at).ok());
    let distinct: HashSet<ScalarValue> = values.filter(|value| !value.is_null()).collect();
    let of = |value: Option<&ScalarValue>| value.map_or(Precision::Absent, |value| Precision::Inexact(value.clone()));
    let order = |a: &&ScalarValue, b: &&ScalarValue| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
    ColumnStatistics {
        min_value: of(distinct.iter().min_by(order)),
        max_value: of(distinct.iter().max_by(order)),
        distinct_count: Precision::Inexact(distinct.len()),
        ..ColumnStatistics::new_unknown()
    }
}
