//! Booleans, integers and floats. A float always has a point or an exponent: the Java client takes no integer for a double.

use super::Cell;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type,
};
use serde::Serialize;

pub fn boolean(array: &ArrayRef) -> Cell {
    let array = array.as_boolean().clone();
    Box::new(move |row, out| out.extend(if array.value(row) { b"true".as_slice() } else { b"false" }))
}

pub fn integer(array: &ArrayRef) -> Cell {
    match array.data_type() {
        DataType::Int8 => whole::<Int8Type>(array),
        DataType::Int16 => whole::<Int16Type>(array),
        DataType::Int32 => whole::<Int32Type>(array),
        DataType::UInt8 => whole::<UInt8Type>(array),
        DataType::UInt16 => whole::<UInt16Type>(array),
        DataType::UInt32 => whole::<UInt32Type>(array),
        _ => whole::<Int64Type>(array),
    }
}

fn whole<T: ArrowPrimitiveType<Native: Serialize>>(array: &ArrayRef) -> Cell {
    let array = array.as_primitive::<T>().clone();
    Box::new(move |row, out| write_json(out, &array.value(row)))
}

pub fn float(array: &ArrayRef) -> Cell {
    match array.data_type() {
        DataType::Float16 => {
            let array = array.as_primitive::<Float16Type>().clone();
            Box::new(move |row, out| write_real(out, array.value(row).to_f32()))
        }
        DataType::Float32 => {
            let array = array.as_primitive::<Float32Type>().clone();
            Box::new(move |row, out| write_real(out, array.value(row)))
        }
        _ => {
            let array = array.as_primitive::<Float64Type>().clone();
            Box::new(move |row, out| write_double(out, array.value(row)))
        }
    }
}

/// The shortest text that reads back as the same `real`, which is not that of the same number as `double`.
fn write_real(out: &mut Vec<u8>, value: f32) {
    match unusual(f64::from(value)) {
        Some(name) => out.extend(name.as_bytes()),
        None => write_json(out, &value),
    }
}

fn write_double(out: &mut Vec<u8>, value: f64) {
    match unusual(value) {
        Some(name) => out.extend(name.as_bytes()),
        None => write_json(out, &value),
    }
}

/// What JSON has no number for.
fn unusual(value: f64) -> Option<&'static str> {
    match value {
        value if value.is_finite() => None,
        value if value.is_nan() => Some("\"NaN\""),
        value if value > 0.0 => Some("\"Infinity\""),
        _ => Some("\"-Infinity\""),
    }
}

/// serde_json writes floats with a point or an exponent, and strings escaped.
pub(super) fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("a number or a string always serializes, and a Vec takes every write");
}
