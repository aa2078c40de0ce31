//! Dates, by a calendar that has no end: every day number of an `i32`, and every second of an `i64`, has a date.

use super::Cell;
use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Date32Type;

pub fn date(array: &ArrayRef) -> Cell {
    let array = array.as_primitive::<Date32Type>().clone();
    Box::new(move |row, out| {
        out.push(b'"');
        write_date(out, i64::from(array.value(row)));
        out.push(b'"');
    })
}

/// `2020-01-31`; years past 9999 carry a plus, years before 0 a minus, as in Java.
pub(super) fn write_date(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil(days);
    match year {
        0..=9999 => {}
        year if year < 0 => out.push(b'-'),
        _ => out.push(b'+'),
    }
    write_padded(out, year.unsigned_abs(), 4);
    out.push(b'-');
    write_padded(out, month, 2);
    out.push(b'-');
    write_padded(out, day, 2);
}

/// Year, month and day of a day counted from 1970-01-01. Eras of 400 years all have 146,097 days; a year starts in March here, so
/// that a leap day is its last.
fn civil(days: i64) -> (i64, u64, u64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

/// At least `width` digits.
pub(super) fn write_padded(out: &mut Vec<u8>, value: u64, width: usize) {
    let mut buffer = [b'0'; 20];
    let mut rest = value;
    let mut start = buffer.len();
    while rest > 0 {
        start -= 1;
        buffer[start] = b'0' + u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
    }
    let start = start.min(buffer.len() - width);
    out.extend(&buffer[start..]);
}
