//! Statistics of a table, from its footers, as DataFusion's optimizer wants them.

use datafusion::common::Statistics;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use mayfly_catalog::{Table, TableFile};

/// The table's statistics. Where a footer's cannot be read, they are unknown, never wrong.
pub(crate) fn of(table: &Table) -> Statistics {
    let unknown = || Statistics::new_unknown(&table.schema);
    let files: Option<Vec<Statistics>> = table.files.iter().map(|file| of_file(table, file)).collect();
    match files {
        Some(files) if !files.is_empty() => {
            Statistics::try_merge_iter(&files, &table.schema).unwrap_or_else(|_| unknown())
        }
        _ => unknown(),
    }
}

fn of_file(table: &Table, file: &TableFile) -> Option<Statistics> {
    DFParquetMetadata::statistics_from_parquet_metadata(&file.metadata, &table.schema).ok()
}
