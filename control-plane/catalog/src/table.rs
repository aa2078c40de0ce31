//! A table as a query sees it: its columns, and the files that it has at this moment.

use crate::footer::RawFooter;
use crate::{LearnedStatistics, Location, TableRef, partition};
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
    /// What ANALYZE TABLE found, at its time.
    pub learned: Option<LearnedStatistics>,
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

    /// Whether each file's footer is known.
    pub fn has_footers(&self) -> bool {
        self.files.iter().all(|file| file.footer.is_some())
    }

    /// What the known footers say together; `None` if there are none.
    pub fn sample(&self) -> Option<Sample> {
        let mut sample = Sample {
            size_bytes: 0,
            rows: 0,
            column_bytes: vec![0; self.schema.fields().len()],
        };
        for file in &self.files {
            let Some(footer) = &file.footer else { continue };
            sample.size_bytes += file.size_bytes;
            sample.rows += footer.rows;
            let held = self.schema.fields().len() - self.partition_columns;
            let places = footer.places(&self.schema.fields()[..held]);
            for (bytes, place) in sample.column_bytes.iter_mut().zip(places) {
                let groups = footer.row_groups.iter();
                *bytes += groups.map(|group| group.bytes_of(place.as_slice())).sum::<u64>();
            }
        }
        (sample.size_bytes > 0).then_some(sample)
    }
}

/// Sums over some files, which stand for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub size_bytes: u64,
    pub rows: u64,
    /// Compressed bytes of each column; of partition columns none.
    pub column_bytes: Vec<u64>,
}

impl Sample {
    /// Rows of a file of that size, at least one.
    pub fn rows_of(&self, size_bytes: u64) -> u64 {
        scaled(self.rows, size_bytes, self.size_bytes)
    }

    /// Compressed bytes of some columns of a file of that size, at least one.
    pub fn bytes_of(&self, size_bytes: u64, columns: &[usize]) -> u64 {
        let bytes = columns.iter().filter_map(|column| self.column_bytes.get(*column)).sum();
        scaled(bytes, size_bytes, self.size_bytes)
    }
}

fn scaled(part: u64, size: u64, of: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(size) / u128::from(of.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX).max(1)
}

/// One file, at one version.
#[derive(Clone, Debug)]
pub struct TableFile {
    pub key: String,
    pub etag: String,
    pub size_bytes: u64,
    /// Of a Parquet file; text has none, and in a table of very many files only a sample's are read.
    pub footer: Option<Footer>,
}

/// What a Parquet file says of itself.
#[derive(Clone, Debug)]
pub struct Footer {
    pub rows: u64,
    pub row_groups: Vec<RowGroup>,
    /// Columns that the file has, without encodings. Those that hold no NULL by its writer's word say so.
    pub schema: Arc<Schema>,
    /// The decoded footer, for column statistics (minimum, maximum, null count), of pages too where their index was read along.
    pub metadata: Arc<ParquetMetaData>,
}

impl Footer {
    /// Where the file holds columns of its table, which were found to fit.
    pub fn places(&self, columns: &[FieldRef]) -> Vec<Option<usize>> {
        let own = self.schema.fields();
        let is_alike =
            own.len() == columns.len() && own.iter().zip(columns).all(|(own, column)| own.name() == column.name());
        if is_alike {
            return (0..columns.len()).map(Some).collect();
        }
        let places = mayfly_files::read_as(&Schema::new(columns.to_vec()), &self.schema);
        places.unwrap_or_else(|_| vec![None; columns.len()])
    }
}

/// What the footer says about one row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowGroup {
    pub rows: u64,
    /// Compressed bytes of all columns.
    pub bytes: u64,
    /// Compressed bytes of each top-level column, in the file's order.
    pub column_bytes: Vec<u64>,
}

impl RowGroup {
    /// Compressed bytes of these top-level columns, by their places in the file.
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

    /// A file of which only its name and size are known.
    pub(crate) fn unread(listed: &Listed) -> TableFile {
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
