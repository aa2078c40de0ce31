//! Small answers made of strings: what SHOW, DESCRIBE and EXPLAIN return.

use crate::Planned;
use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use std::sync::Arc;

/// Varchar columns of these names.
pub(crate) fn schema(columns: &[&str]) -> SchemaRef {
    let field = |name: &&str| Field::new(*name, DataType::Utf8, true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// Rows as one batch. Each row has as many cells as there are columns.
pub(crate) fn batch(columns: &[&str], rows: &[Vec<String>]) -> RecordBatch {
    let column = |at: usize| -> ArrayRef {
        let cells = rows.iter().map(|row| row.get(at).map(String::as_str));
        Arc::new(StringArray::from_iter(cells))
    };
    let arrays = (0..columns.len()).map(column).collect();
    RecordBatch::try_new(schema(columns), arrays).expect("every column is text and has one cell per row")
}

/// Rows as the answer of a statement.
pub(crate) fn answer(columns: &[&str], rows: &[Vec<String>]) -> Planned {
    of(batch(columns, rows))
}

/// The batch as the answer of a statement.
pub(crate) fn of(batch: RecordBatch) -> Planned {
    let schema = batch.schema();
    Planned::Rows {
        columns: schema.fields().iter().map(|field| field.name().clone()).collect(),
        schema,
        batches: vec![batch],
    }
}
