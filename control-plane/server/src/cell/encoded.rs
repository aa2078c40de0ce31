//! Columns that hold each value once: dictionaries and runs. A row is looked up, then written as its value.

use super::{Cell, cell};
use crate::types::Precision;
use arrow::array::{Array, ArrayRef, AsArray, RunArray};
use arrow::datatypes::{DataType, Field, Int16Type, Int32Type, Int64Type, RunEndIndexType};
use mayfly_protocol::QueryError;

/// A value may itself be null; its own writer knows.
pub fn dictionary(field: &Field, array: &ArrayRef, precision: Precision) -> Result<Cell, QueryError> {
    let array = array.as_any_dictionary();
    let values = array.values();
    let of_values = Field::new(field.name(), values.data_type().clone(), true).with_metadata(field.metadata().clone());
    let write = cell(&of_values, values, precision)?;
    if values.is_empty() {
        // Every key is null, and a null row is not asked for.
        return Ok(write);
    }
    let keys = array.normalized_keys();
    Ok(Box::new(move |row, out| write(keys[row], out)))
}

pub fn run_ends(values: &Field, array: &ArrayRef, precision: Precision) -> Result<Cell, QueryError> {
    match array.data_type() {
        DataType::RunEndEncoded(ends, _) if ends.data_type() == &DataType::Int16 => {
            runs(values, array.as_run::<Int16Type>().clone(), precision)
        }
        DataType::RunEndEncoded(ends, _) if ends.data_type() == &DataType::Int32 => {
            runs(values, array.as_run::<Int32Type>().clone(), precision)
        }
        _ => runs(values, array.as_run::<Int64Type>().clone(), precision),
    }
}

fn runs<R: RunEndIndexType>(values: &Field, array: RunArray<R>, precision: Precision) -> Result<Cell, QueryError> {
    let write = cell(values, array.values(), precision)?;
    Ok(Box::new(move |row, out| write(array.get_physical_index(row), out)))
}
