//! Intervals: `"1-2"` years and months, `"2 03:04:05.678"` days to milliseconds, with the sign in front.

use super::Cell;
use super::date::write_padded;
use super::text::text;
use super::time::write_clock;
use crate::types::interval_units;
use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, Field,
    Int64Type, IntervalDayTimeType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalYearMonthType, TimeUnit,
};
use mayfly_plan::interval::MONTHS;
use mayfly_protocol::{ErrorCode, QueryError};

const DAY_MS: i128 = 86_400_000;
const MS_NANOS: i128 = 1_000_000;

pub fn year_month(array: &ArrayRef) -> Cell {
    let array = array.as_primitive::<IntervalYearMonthType>().clone();
    Box::new(move |row, out| write_months(out, array.value(row)))
}

fn write_months(out: &mut Vec<u8>, months: i32) {
    let size = u64::from(months.unsigned_abs());
    out.extend(if months < 0 { b"\"-".as_slice() } else { b"\"" });
    write_padded(out, size / 12, 1);
    out.push(b'-');
    write_padded(out, size % 12, 1);
    out.push(b'"');
}

pub fn day_time(array: &ArrayRef) -> Cell {
    let array = array.as_primitive::<IntervalDayTimeType>().clone();
    Box::new(move |row, out| {
        let value = array.value(row);
        write_ms(out, i128::from(value.days) * DAY_MS + i128::from(value.milliseconds));
    })
}

/// Trino keeps months apart from days. The planner says which of the two a column can hold; one that can hold both is shown as text.
pub fn month_day_nano(field: &Field, array: &ArrayRef) -> Result<Cell, QueryError> {
    let values = array.as_primitive::<IntervalMonthDayNanoType>().clone();
    let holds = |refused: fn(IntervalMonthDayNano) -> bool| values.iter().flatten().any(refused);
    match interval_units(field) {
        None if holds(|value| value.months != 0) => Err(unlike(field, "months")),
        None => Ok(Box::new(move |row, out| {
            write_ms(out, month_day_nano_ms(values.value(row)))
        })),
        Some(MONTHS) if holds(|value| value.days != 0 || value.nanoseconds != 0) => Err(unlike(field, "days")),
        Some(MONTHS) => Ok(Box::new(move |row, out| write_months(out, values.value(row).months))),
        Some(_) => as_text(array),
    }
}

/// Not to be shown wrong.
fn unlike(field: &Field, units: &str) -> QueryError {
    let message = format!(
        "column '{}' holds an interval of {units}, unlike its type",
        field.name()
    );
    QueryError::new(ErrorCode::NotSupported, message)
}

/// As DataFusion prints it, e.g. `1 mons 2 days`.
fn as_text(array: &ArrayRef) -> Result<Cell, QueryError> {
    let texts = cast(array, &DataType::Utf8);
    let texts = texts.map_err(|cause| QueryError::new(ErrorCode::GenericInternalError, cause.to_string()))?;
    Ok(text(&texts))
}

fn month_day_nano_ms(value: IntervalMonthDayNano) -> i128 {
    i128::from(value.days) * DAY_MS + nanos_to_ms(value.nanoseconds)
}

pub fn duration(array: &ArrayRef, unit: &TimeUnit) -> Cell {
    let (ticks, to_ms): (PrimitiveArray<Int64Type>, fn(i64) -> i128) = match unit {
        TimeUnit::Second => (array.as_primitive::<DurationSecondType>().reinterpret_cast(), |s| {
            i128::from(s) * 1000
        }),
        TimeUnit::Millisecond => (
            array.as_primitive::<DurationMillisecondType>().reinterpret_cast(),
            i128::from,
        ),
        TimeUnit::Microsecond => (
            array.as_primitive::<DurationMicrosecondType>().reinterpret_cast(),
            micros_to_ms,
        ),
        TimeUnit::Nanosecond => (
            array.as_primitive::<DurationNanosecondType>().reinterpret_cast(),
            nanos_to_ms,
        ),
    };
    Box::new(move |row, out| write_ms(out, to_ms(ticks.value(row))))
}

/// Towards zero, as Trino's casts do: the type has three digits.
fn nanos_to_ms(nanos: i64) -> i128 {
    i128::from(nanos) / MS_NANOS
}

fn micros_to_ms(micros: i64) -> i128 {
    i128::from(micros) / 1000
}

fn write_ms(out: &mut Vec<u8>, ms: i128) {
    let size = ms.unsigned_abs();
    let below = |value: u128| u64::try_from(value).expect("an i64 of seconds has fewer than 2^64 days");
    let days = below(size / DAY_MS.unsigned_abs());
    let rest = below(size % DAY_MS.unsigned_abs());
    out.extend(if ms < 0 { b"\"-".as_slice() } else { b"\"" });
    write_padded(out, days, 1);
    out.push(b' ');
    write_clock(
        out,
        i64::try_from(rest / 1000).expect("a second of a day"),
        rest % 1000,
        3,
    );
    out.push(b'"');
}
