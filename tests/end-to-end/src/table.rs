//! An answer as text: column names, Trino types, and cells. The common ground of server and oracle.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Rows of text with their types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub columns: Vec<String>,
    /// Trino's spelling, e.g. `decimal(15, 2)`.
    pub types: Vec<String>,
    /// `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Table {
    pub fn from_batches(schema: &SchemaRef, batches: &[RecordBatch]) -> Table {
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let types = schema
            .fields()
            .iter()
            .map(|field| trino_type(field.data_type()))
            .collect();
        let rows = batches.iter().flat_map(rows).collect();
        Table { columns, types, rows }
    }

    /// Rows in a fixed order, for answers whose order the query leaves open.
    pub fn sorted(mut self) -> Table {
        self.rows.sort();
        self
    }

    /// What differs first, or nothing. Order of rows does not count; types and every cell do.
    pub fn difference(&self, expected: &Table) -> Option<String> {
        if self.types != expected.types {
            return Some(format!("types {:?}, expected {:?}", self.types, expected.types));
        }
        let (got, want) = (self.clone().sorted(), expected.clone().sorted());
        if got.rows.len() != want.rows.len() {
            return Some(format!("{} rows, expected {}", got.rows.len(), want.rows.len()));
        }
        let at = got.rows.iter().zip(&want.rows).position(|(got, want)| got != want)?;
        Some(format!(
            "sorted row {at}: {:?}, expected {:?}",
            got.rows[at], want.rows[at]
        ))
    }
}

fn rows(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let options = FormatOptions::default().with_null("NULL");
    let formatters: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).expect("column is printable"))
        .collect();
    let cell = |row: usize, column: usize| {
        let is_null = batch
            .column(column)
            .logical_nulls()
            .is_some_and(|nulls| nulls.is_null(row));
        (!is_null).then(|| {
            canonical(
                batch.column(column).data_type(),
                &formatters[column].value(row).to_string(),
            )
        })
    };
    (0..batch.num_rows())
        .map(|row| (0..batch.num_columns()).map(|column| cell(row, column)).collect())
        .collect()
}

/// Floats through one printer, so that `1e3` and `1000.0` are one value; everything else as it is.
pub fn canonical(data_type: &DataType, text: &str) -> String {
    match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => canonical_float(text),
        DataType::Timestamp(unit, None) => trino_timestamp(*unit, text),
        _ => text.to_owned(),
    }
}

/// `2020-01-01T00:00:07` as `2020-01-01 00:00:07.000000`: with as many digits as the type has.
fn trino_timestamp(unit: TimeUnit, text: &str) -> String {
    let digits = match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    let text = text.replace('T', " ");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    match digits {
        0 => whole.to_owned(),
        digits => format!("{whole}.{fraction:0<digits$}"),
    }
}

/// Twelve significant digits: sums of doubles depend on the order of addition beyond that.
pub fn canonical_float(text: &str) -> String {
    text.parse::<f64>()
        .map_or_else(|_| text.to_owned(), |number| format!("{number:.11e}"))
}

/// The Trino type that an Arrow type must arrive as. Written apart from the server's own table, as a second opinion.
fn trino_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".into(),
        DataType::Int8 => "tinyint".into(),
        DataType::Int16 | DataType::UInt8 => "smallint".into(),
        DataType::Int32 | DataType::UInt16 => "integer".into(),
        DataType::Int64 | DataType::UInt32 => "bigint".into(),
        DataType::UInt64 => "decimal(20, 0)".into(),
        DataType::Float32 => "real".into(),
        DataType::Float64 => "double".into(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision}, {scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "varchar".into(),
        DataType::Date32 => "date".into(),
        DataType::Timestamp(TimeUnit::Nanosecond, None) => "timestamp(9)".into(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp(6)".into(),
        DataType::Dictionary(_, values) => trino_type(values),
        DataType::Null => "unknown".into(),
        other => format!("untranslated {other}"),
    }
}
