//! A table as a query sees it: its columns, and the files that it has at this moment.

use crate::footer::RawFooter;
use crate::{Location, TableRef};
use arrow::datatypes::{Schema, SchemaRef};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use std::sync::Arc;

/// A table and its files, as listed for one planning.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: TableRef,
    /// Columns as they lie in the files. No view and no dictionary types: those are encodings, and files may differ in them.
    pub schema: SchemaRef,
    pub location: Location,
    /// In key order.
    pub files: Vec<Arc<TableFile>>,
}

impl Table {
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// One Parquet file, at one version.
#[derive(Clone, Debug)]
pub struct TableFile {
    pub key: String,
    pub etag: String,
    pub size_bytes: u64,
    pub rows: u64,
    pub row_groups: Vec<RowGroup>,
    /// Columns that the file has, without encodings.
    pub(crate) schema: Arc<Schema>,
    /// The decoded footer, for column statistics (minimum, maximum, null count). Page indexes are not read.
    pub metadata: Arc<ParquetMetaData>,
}

/// What the footer says about one row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowGroup {
    pub rows: u64,
    /// Compressed bytes of all columns.
    pub bytes: u64,
    /// Compressed bytes of each top-level column, in schema order.
    pub column_bytes: Vec<u64>,
}

impl RowGroup {
    /// Compressed bytes of the given top-level columns.
    pub fn bytes_of(&self, columns: &[usize]) -> u64 {
        columns
            .iter()
            .map(|column| self.column_bytes.get(*column).copied().unwrap_or(0))
            .sum()
    }
}

impl TableFile {
    pub(crate) fn new(raw: RawFooter, schema: Schema, metadata: ParquetMetaData) -> TableFile {
        let row_groups: Vec<RowGroup> = metadata.row_groups().iter().map(row_group).collect();
        TableFile {
            key: raw.key,
            etag: raw.etag,
            size_bytes: raw.size_bytes,
            rows: row_groups.iter().map(|group| group.rows).sum(),
            row_groups,
            schema: Arc::new(schema),
            metadata: Arc::new(metadata),
        }
    }
}

fn row_group(group: &RowGroupMetaData) -> RowGroup {
    let schema = group.schema_descr();
    let mut column_bytes = vec![0_u64; schema.root_schema().get_fields().len()];
    for (leaf, column) in group.columns().iter().enumerate() {
        column_bytes[schema.get_column_root_idx(leaf)] += unsigned(column.compressed_size());
    }
    RowGroup {
        rows: unsigned(group.num_rows()),
        bytes: column_bytes.iter().sum(),
        column_bytes,
    }
}

/// Footers are checked for negative counts when they are read.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
