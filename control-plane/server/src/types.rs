//! Arrow types as Trino names them: the signature that clients choose their decoders by, and its text.
//!
//! [`crate::cell`] encodes the values that go with a signature; both take their choices from the same [`DataType`].

mod column;
mod temporal;
mod text;

pub use column::{Argument, Column, Signature, columns};
pub use temporal::{Precision, digits, zone_name};

use arrow::datatypes::{DataType, Field, IntervalUnit};
use mayfly_plan::interval;
use mayfly_protocol::{ErrorCode, QueryError};

/// Largest precision of a Trino decimal; wider ones are shown as exact text.
pub const DECIMAL_DIGITS_MAX: u8 = 38;

/// Length that Trino gives a varchar without bound.
const VARCHAR_UNBOUNDED: u64 = 2_147_483_647;

/// The extension name that arrow puts into a field's metadata.
const EXTENSION: &str = "ARROW:extension:name";

/// Whether a field is marked as `uuid` or `json`.
pub fn has_extension(field: &Field, name: &str) -> bool {
    field.metadata().get(EXTENSION).is_some_and(|found| found == name)
}

/// What the planner said of a field's intervals.
pub fn interval_units(field: &Field) -> Option<&str> {
    field.metadata().get(interval::INTERVAL_UNITS).map(String::as_str)
}

/// A field inside a list, a row or a map: what was said of the column's intervals holds for it.
pub fn inside(outer: &Field, inner: &Field) -> Field {
    let mut inner = inner.clone();
    if let Some(units) = interval_units(outer) {
        let units = (interval::INTERVAL_UNITS.to_owned(), units.to_owned());
        inner.set_metadata(inner.metadata().clone().into_iter().chain([units]).collect());
    }
    inner
}

/// The Trino type of a field.
pub fn signature(field: &Field, precision: Precision) -> Result<Signature, QueryError> {
    use DataType::*;
    Ok(match field.data_type() {
        Null => Signature::plain("unknown"),
        Boolean => Signature::plain("boolean"),
        Int8 => Signature::plain("tinyint"),
        Int16 | UInt8 => Signature::plain("smallint"),
        Int32 | UInt16 => Signature::plain("integer"),
        Int64 | UInt32 => Signature::plain("bigint"),
        UInt64 => decimal(20, 0),
        Float16 | Float32 => Signature::plain("real"),
        Float64 => Signature::plain("double"),
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale) => {
            decimal(*digits, *scale)
        }
        Utf8 | LargeUtf8 | Utf8View if has_extension(field, "arrow.json") => Signature::plain("json"),
        Utf8 | LargeUtf8 | Utf8View => varchar(),
        FixedSizeBinary(16) if has_extension(field, "arrow.uuid") => Signature::plain("uuid"),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => Signature::plain("varbinary"),
        Date32 => Signature::plain("date"),
        Date64 => Signature::temporal("timestamp", 3, precision),
        Time32(unit) | Time64(unit) => Signature::temporal("time", digits(unit), precision),
        Timestamp(unit, None) => Signature::temporal("timestamp", digits(unit), precision),
        Timestamp(unit, Some(_)) => Signature::temporal("timestamp with time zone", digits(unit), precision),
        Interval(IntervalUnit::YearMonth) => Signature::plain("interval year to month"),
        Interval(IntervalUnit::MonthDayNano) => match interval_units(field) {
            Some(interval::MONTHS) => Signature::plain("interval year to month"),
            Some(_) => varchar(),
            None => Signature::plain("interval day to second"),
        },
        Interval(IntervalUnit::DayTime) | Duration(_) => Signature::plain("interval day to second"),
        List(item) | LargeList(item) | ListView(item) | LargeListView(item) | FixedSizeList(item, _) => Signature::of(
            "array",
            vec![Argument::Type(signature(&inside(field, item), precision)?)],
        ),
        Map(entries, _) => map(&inside(field, entries), precision)?,
        Struct(fields) => Signature::of(
            "row",
            fields
                .iter()
                .map(|part| named(&inside(field, part), precision))
                .collect::<Result<_, _>>()?,
        ),
        Dictionary(_, values) => signature(&of_values(field, values), precision)?,
        RunEndEncoded(_, values) => signature(&inside(field, values), precision)?,
        Union(..) => return Err(refuse(field)),
    })
}

/// The field that a dictionary stands for: its values under the dictionary's own metadata.
fn of_values(field: &Field, values: &DataType) -> Field {
    Field::new(field.name(), values.clone(), true).with_metadata(field.metadata().clone())
}

fn varchar() -> Signature {
    Signature::of("varchar", vec![Argument::Long(VARCHAR_UNBOUNDED)])
}

/// A negative scale becomes digits before the point.
fn decimal(digits: u8, scale: i8) -> Signature {
    let whole = digits.saturating_add(scale.min(0).unsigned_abs());
    if whole > DECIMAL_DIGITS_MAX {
        return varchar();
    }
    let scale = u64::from(scale.max(0).unsigned_abs());
    Signature::of("decimal", vec![Argument::Long(u64::from(whole)), Argument::Long(scale)])
}

fn named(field: &Field, precision: Precision) -> Result<Argument, QueryError> {
    let name = (!field.name().is_empty()).then(|| field.name().clone());
    Ok(Argument::Named {
        name,
        signature: signature(field, precision)?,
    })
}

fn map(entries: &Field, precision: Precision) -> Result<Signature, QueryError> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(refuse(entries));
    };
    let [key, value] = fields.as_ref() else {
        return Err(refuse(entries));
    };
    let arguments = vec![
        Argument::Type(signature(&inside(entries, key), precision)?),
        Argument::Type(signature(&inside(entries, value), precision)?),
    ];
    Ok(Signature::of("map", arguments))
}

/// For the types that Trino lacks.
pub fn refuse(field: &Field) -> QueryError {
    let message = format!(
        "column '{}' of type {} has no Trino type",
        field.name(),
        field.data_type()
    );
    QueryError::new(ErrorCode::NotSupported, message)
}
