//! A table as a query sees it: its columns, and the files that it has at this moment.

use crate::footer::RawFooter;
use crate::{Location, TableRef, partition};
use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use mayfly_protocol::FileFormat;
use mayfly_store::Listed;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use std::sync::Arc;

/// A table and its files, as listed for one planning.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: TableRef,
    /// Columns as they lie in the files, then those of their folders. No view and no dictionary types: those are encodings, and files
    /// may differ in them.
    pub schema: SchemaRef,
    /// How many of the columns are folders'.
    pub partition_columns: usize,
    pub format: FileFormat,
    pub location: Location,
    /// In key order.
    pub files: Vec<Arc<TableFile>>,
    /// Values of the partition columns, a row for each file.
    pub partitions: RecordBatch,
}

impl Table {
    /// The partition columns' values of the file at that place, as its key spells them; `None` is NULL.
    pub fn partition_values(&self, file: &TableFile) -> Vec<Option<String>> {
        if self.partition_columns == 0 {
            return Vec::new();
        }
        let mut of_key = partition::of_key(&self.location, &file.key);
        let columns = &self.schema.fields()[self.schema.fields().len() - self.partition_columns..];
        let value = |column: &FieldRef| {
            let name = column.name().to_lowercase();
            let found = of_key.iter_mut().find(|(known, _)| *known == name);
            found.and_then(|(_, value)| value.take())
        };
        columns.iter().map(value).collect()
    }

    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// One file, at one version.
#[derive(Clone, Debug)]
pub struct TableFile {
    pub key: String,
    pub etag: String,
    pub size_bytes: u64,
    /// Of a Parquet file; text has none.
    pub footer: Option<Footer>,
}

/// What a Parquet file says of itself.
#[derive(Clone, Debug)]
pub struct Footer {
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
    pub(crate) fn parquet(raw: RawFooter, schema: Schema, metadata: ParquetMetaData) -> TableFile {
        let row_groups: Vec<RowGroup> = metadata.row_groups().iter().map(row_group).collect();
        TableFile {
            key: raw.key,
            etag: raw.etag,
            size_bytes: raw.size_bytes,
            footer: Some(Footer {
                rows: row_groups.iter().map(|group| group.rows).sum(),
                row_groups,
                schema: Arc::new(schema),
                metadata: Arc::new(metadata),
            }),
        }
    }

    pub(crate) fn text(listed: &Listed) -> TableFile {
        TableFile {
            key: listed.key.clone(),
            etag: listed.etag.clone(),
            size_bytes: listed.size_bytes,
            footer: None,
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
