//! Bytes: base64 with padding, or the text of a UUID.

use super::Cell;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub fn base64(array: &ArrayRef) -> Cell {
    match array.data_type() {
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>().clone();
            Box::new(move |row, out| write_base64(out, array.value(row)))
        }
        DataType::BinaryView => {
            let array = array.as_binary_view().clone();
            Box::new(move |row, out| write_base64(out, array.value(row)))
        }
        DataType::FixedSizeBinary(_) => {
            let array = array.as_fixed_size_binary().clone();
            Box::new(move |row, out| write_base64(out, array.value(row)))
        }
        _ => {
            let array = array.as_binary::<i32>().clone();
            Box::new(move |row, out| write_base64(out, array.value(row)))
        }
    }
}

/// Encodes in place: no string per cell.
fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    STANDARD
        .encode_slice(bytes, &mut out[start..])
        .expect("four characters stand for each three bytes");
    out.push(b'"');
}

/// `12151fd2-7586-11e9-8f9e-2a86e4085a59`
pub fn uuid(array: &ArrayRef) -> Cell {
    let array = array.as_fixed_size_binary().clone();
    Box::new(move |row, out| {
        let digits = hex::encode(array.value(row));
        let part = |from, to| &digits[from..to];
        let text = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        out.push(b'"');
        out.extend(text.as_bytes());
        out.push(b'"');
    })
}
