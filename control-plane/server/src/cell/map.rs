//! Maps as JSON objects, whose keys are the text of the key: `{"1": "a"}`.

use super::number::write_json;
use super::{Cell, cell};
use crate::types::{Precision, inside};
use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field};
use mayfly_protocol::{ErrorCode, QueryError};

pub fn map(entries: &Field, array: &ArrayRef, precision: Precision) -> Result<Cell, QueryError> {
    let array = array.as_map().clone();
    let [key, value] = key_and_value(entries)?;
    let key = cell(&inside(entries, key), array.keys(), precision)?;
    let value = cell(&inside(entries, value), array.values(), precision)?;
    let offsets = array.offsets().clone();
    Ok(Box::new(move |row, out| {
        let start = usize::try_from(offsets[row]).expect("offsets are not negative");
        let end = usize::try_from(offsets[row + 1]).expect("offsets are not negative");
        out.push(b'{');
        for entry in start..end {
            if entry > start {
                out.push(b',');
            }
            write_key(out, &key, entry);
            out.push(b':');
            value(entry, out);
        }
        out.push(b'}');
    }))
}

fn key_and_value(entries: &Field) -> Result<[&Field; 2], QueryError> {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => Ok([&fields[0], &fields[1]]),
        other => Err(QueryError::new(
            ErrorCode::GenericInternalError,
            format!("a map of {other}"),
        )),
    }
}

/// A key that is no string as JSON becomes one.
fn write_key(out: &mut Vec<u8>, key: &Cell, entry: usize) {
    let start = out.len();
    key(entry, out);
    if out[start] != b'"' {
        let text = out.split_off(start);
        write_json(out, &String::from_utf8_lossy(&text));
    }
}
