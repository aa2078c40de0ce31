//! Decimals as strings of exact digits: `"1.50"`, never an exponent.

use super::Cell;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, UInt64Type};

/// Digits of a u128.
const DIGITS_MAX: usize = 39;
/// The largest power of ten in a u64: two-step division keeps most of the work in 64 bits.
const CHUNK: u128 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

/// An unsigned bigint, as `decimal(20, 0)`.
pub fn unsigned(array: &ArrayRef) -> Cell {
    let array = array.as_primitive::<UInt64Type>().clone();
    Box::new(move |row, out| write_scaled(out, i128::from(array.value(row)), 0))
}

/// Also the values whose type is wider than Trino's: they are text of the same form.
pub fn decimal(array: &ArrayRef, _digits: u8, scale: i8) -> Cell {
    match array.data_type() {
        DataType::Decimal32(..) => {
            let array = array.as_primitive::<Decimal32Type>().clone();
            Box::new(move |row, out| write_scaled(out, i128::from(array.value(row)), scale))
        }
        DataType::Decimal64(..) => {
            let array = array.as_primitive::<Decimal64Type>().clone();
            Box::new(move |row, out| write_scaled(out, i128::from(array.value(row)), scale))
        }
        DataType::Decimal256(..) => {
            let array = array.as_primitive::<Decimal256Type>().clone();
            Box::new(move |row, out| write_text(out, &array.value(row).to_string(), scale))
        }
        _ => {
            let array = array.as_primitive::<Decimal128Type>().clone();
            Box::new(move |row, out| write_scaled(out, array.value(row), scale))
        }
    }
}

fn write_scaled(out: &mut Vec<u8>, unscaled: i128, scale: i8) {
    let mut buffer = [b'0'; DIGITS_MAX];
    let digits = digits(unscaled.unsigned_abs(), &mut buffer);
    write_digits(out, unscaled < 0, digits, scale);
}

/// `text`: an integer in decimal.
fn write_text(out: &mut Vec<u8>, text: &str, scale: i8) {
    let digits = text.strip_prefix('-');
    write_digits(out, digits.is_some(), digits.unwrap_or(text).as_bytes(), scale);
}

/// Puts the point `scale` digits from the right, or appends `-scale` zeros.
fn write_digits(out: &mut Vec<u8>, negative: bool, digits: &[u8], scale: i8) {
    let places = usize::from(scale.max(0).unsigned_abs());
    let whole = digits.len().saturating_sub(places);
    out.push(b'"');
    out.extend(negative.then_some(b'-'));
    out.extend(if whole == 0 { b"0" } else { &digits[..whole] });
    if scale < 0 && digits != b"0" {
        out.resize(out.len() + usize::from(scale.unsigned_abs()), b'0');
    }
    if places > 0 {
        out.push(b'.');
        out.resize(out.len() + places.saturating_sub(digits.len()), b'0');
        out.extend(&digits[whole..]);
    }
    out.push(b'"');
}

/// The digits of `value` at the end of `buffer`; zero has one.
fn digits(value: u128, buffer: &mut [u8; DIGITS_MAX]) -> &[u8] {
    let mut end = DIGITS_MAX;
    let mut rest = value;
    while rest >= CHUNK {
        let chunk = u64::try_from(rest % CHUNK).expect("a remainder is below its divisor");
        fill(chunk, buffer, end);
        end -= CHUNK_DIGITS;
        rest /= CHUNK;
    }
    let first = u64::try_from(rest).expect("the loop ended below 10^19");
    let start = fill(first, buffer, end).min(end - 1);
    &buffer[start..]
}

/// Writes the digits of `value` before `end` and says where they start.
fn fill(mut value: u64, buffer: &mut [u8; DIGITS_MAX], mut end: usize) -> usize {
    while value > 0 {
        end -= 1;
        buffer[end] = b'0' + u8::try_from(value % 10).expect("a digit");
        value /= 10;
    }
    end
}
