//! Values as Trino's JSON: one writer per column, built once per batch, so that writing a cell makes no choice that its column has
//! made already. What the values are called is in [`crate::types`].

mod binary;
mod date;
mod decimal;
mod encoded;
mod interval;
mod list;
mod map;
mod number;
mod row;
mod text;
mod time;
mod timestamp;

pub use row::RowWriter;

use crate::types::{Precision, has_extension, inside, refuse};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, IntervalUnit};
use mayfly_protocol::QueryError;

/// Appends the JSON of one row's value.
pub type Cell = Box<dyn Fn(usize, &mut Vec<u8>) + Send + Sync>;

/// The writer of a column's cells. Everything that can go wrong with a column goes wrong here.
pub fn cell(field: &Field, array: &ArrayRef, precision: Precision) -> Result<Cell, QueryError> {
    let write = value(field, array, precision)?;
    let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned() else {
        return Ok(write);
    };
    Ok(Box::new(move |row, out| {
        if nulls.is_null(row) {
            out.extend(b"null")
        } else {
            write(row, out)
        }
    }))
}

/// The writer of a column's values that are not null. The array says how they lie in memory, the field what they are marked as.
fn value(field: &Field, array: &ArrayRef, precision: Precision) -> Result<Cell, QueryError> {
    use DataType::*;
    Ok(match array.data_type() {
        Null => Box::new(|_, out| out.extend(b"null")),
        Boolean => number::boolean(array),
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 => number::integer(array),
        UInt64 => decimal::unsigned(array),
        Float16 | Float32 | Float64 => number::float(array),
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale) => {
            decimal::decimal(array, *digits, *scale)
        }
        Utf8 | LargeUtf8 | Utf8View => text::text(array),
        FixedSizeBinary(16) if has_extension(field, "arrow.uuid") => binary::uuid(array),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => binary::base64(array),
        Date32 => date::date(array),
        Date64 => timestamp::date64(array, precision),
        Time32(unit) | Time64(unit) => time::time(array, unit, precision),
        Timestamp(unit, zone) => timestamp::timestamp(array, unit, zone.as_deref(), precision)?,
        Interval(IntervalUnit::YearMonth) => interval::year_month(array),
        Interval(IntervalUnit::DayTime) => interval::day_time(array),
        Interval(IntervalUnit::MonthDayNano) => interval::month_day_nano(field, array)?,
        Duration(unit) => interval::duration(array, unit),
        List(item) | LargeList(item) | ListView(item) | LargeListView(item) | FixedSizeList(item, _) => {
            list::list(&inside(field, item), array, precision)?
        }
        Map(entries, _) => map::map(&inside(field, entries), array, precision)?,
        Struct(fields) => row::nested(field, fields, array, precision)?,
        Dictionary(..) => encoded::dictionary(field, array, precision)?,
        RunEndEncoded(_, values) => encoded::run_ends(&inside(field, values), array, precision)?,
        Union(..) => return Err(refuse(field)),
    })
}

#[cfg(test)]
mod tests;
