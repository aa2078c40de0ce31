//! Rows: a batch's, and those inside a column. Both are JSON arrays in field order.

use super::{Cell, cell};
use crate::engine::Columns;
use crate::types::{Precision, inside, signature};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Field, Fields};
use arrow::record_batch::RecordBatch;
use mayfly_protocol::{ErrorCode, QueryError};

/// Writes the rows of one batch.
pub struct RowWriter {
    cells: Vec<Cell>,
    rows: usize,
}

impl RowWriter {
    /// `columns` says what the client was told. A batch may lie in memory another way (text as views, say), but shows the same types.
    pub fn new(columns: &Columns, batch: &RecordBatch, precision: Precision) -> Result<RowWriter, QueryError> {
        let planned = columns.schema.fields();
        if planned.len() != batch.num_columns() {
            return Err(broken(format!(
                "{} columns were planned and {} came",
                planned.len(),
                batch.num_columns()
            )));
        }
        for (field, array) in planned.iter().zip(batch.columns()) {
            check(field, array, precision)?;
        }
        let cells = cells(planned, batch.columns(), precision)?;
        Ok(RowWriter {
            cells,
            rows: batch.num_rows(),
        })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        write_row(out, &self.cells, row);
    }
}

/// A column of rows.
pub fn nested(field: &Field, parts: &Fields, array: &ArrayRef, precision: Precision) -> Result<Cell, QueryError> {
    let parts: Fields = parts.iter().map(|part| inside(field, part)).collect();
    let cells = cells(&parts, array.as_struct().columns(), precision)?;
    Ok(Box::new(move |row, out| write_row(out, &cells, row)))
}

fn cells(fields: &Fields, arrays: &[ArrayRef], precision: Precision) -> Result<Vec<Cell>, QueryError> {
    let pairs = fields.iter().zip(arrays);
    pairs.map(|(field, array)| cell(field, array, precision)).collect()
}

fn write_row(out: &mut Vec<u8>, cells: &[Cell], row: usize) {
    out.push(b'[');
    for (index, write) in cells.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(row, out);
    }
    out.push(b']');
}

fn check(planned: &Field, array: &ArrayRef, precision: Precision) -> Result<(), QueryError> {
    if planned.data_type() == array.data_type() {
        return Ok(());
    }
    let came = planned.clone().with_data_type(array.data_type().clone());
    let [told, shown] = [signature(planned, precision)?, signature(&came, precision)?];
    match told == shown {
        true => Ok(()),
        false => Err(broken(format!(
            "column '{}' was planned as {told} and came as {shown}",
            planned.name()
        ))),
    }
}

fn broken(message: String) -> QueryError {
    QueryError::new(ErrorCode::GenericInternalError, message)
}
