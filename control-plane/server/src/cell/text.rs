//! Strings, escaped as JSON wants them.

use super::Cell;
use super::number::write_json;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

pub fn text(array: &ArrayRef) -> Cell {
    match array.data_type() {
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>().clone();
            Box::new(move |row, out| write_json(out, array.value(row)))
        }
        DataType::Utf8View => {
            let array = array.as_string_view().clone();
            Box::new(move |row, out| write_json(out, array.value(row)))
        }
        _ => {
            let array = array.as_string::<i32>().clone();
            Box::new(move |row, out| write_json(out, array.value(row)))
        }
    }
}
