//! Files of one table that differ: columns are found by name, a column that a file lacks is NULL there, and a type may widen from file to
//! file. What would change a value is refused.
//!
//! ```text
//! exact names first, then names that differ in case, each column once
//! INT8 → INT16 → INT32 → INT64       UINT → the next wider signed      INT8…INT32 → DOUBLE, INT → DECIMAL of its digits
//! REAL → DOUBLE                      DECIMAL: digits before and after the point, each the most of both
//! DATE → TIMESTAMP                   TIMESTAMP: the finer unit          bytes without a type → VARCHAR
//! NULL → any                         structs, lists and maps: by what is within them
//! ```

use crate::plain::plain_type;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use std::sync::Arc;

/// Where the file holds each column of the table, or nowhere; or why the file cannot be read as the table.
pub fn read_as(table: &Schema, file: &Schema) -> Result<Vec<Option<usize>>, String> {
    let places = places(table.fields(), file.fields())?;
    for (wanted, place) in table.fields().iter().zip(&places) {
        let Some(found) = place.map(|at| file.field(at)) else {
            continue;
        };
        if !is_read_as(found.data_type(), wanted.data_type()) {
            return Err(format!(
                "it has column {} where {} is expected",
                named(found),
                named(wanted)
            ));
        }
    }
    Ok(places)
}

/// The columns of both, each in the type that holds the values of both.
pub fn union(table: &Schema, file: &Schema) -> Result<Schema, String> {
    fields(table.fields(), file.fields()).map(Schema::new)
}

fn named(field: &Field) -> String {
    format!("'{}' {}", field.name(), field.data_type())
}

fn fields(a: &Fields, b: &Fields) -> Result<Fields, String> {
    let places = places(a, b)?;
    let mut both = Vec::with_capacity(a.len().max(b.len()));
    for (field, place) in a.iter().zip(&places) {
        both.push(match place {
            Some(at) => Arc::new(wider_field(field, &b[*at])?),
            None => nullable(field),
        });
    }
    let added = b.iter().enumerate().filter(|(at, _)| !places.contains(&Some(*at)));
    both.extend(added.map(|(_, field)| nullable(field)));
    Ok(both.into())
}

fn nullable(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_nullable(true))
}

/// By exact name; else by the one name that differs in case alone and that no other column of the table has.
fn places(table: &Fields, file: &Fields) -> Result<Vec<Option<usize>>, String> {
    let mut places: Vec<Option<usize>> = table
        .iter()
        .map(|wanted| file.iter().position(|found| found.name() == wanted.name()))
        .collect();
    let free: Vec<usize> = (0..file.len()).filter(|at| !places.contains(&Some(*at))).collect();
    for (at, wanted) in table.iter().enumerate() {
        if places[at].is_some() {
            continue;
        }
        let is_alike = |found: &&usize| file[**found].name().to_lowercase() == wanted.name().to_lowercase();
        let mut alike = free.iter().filter(is_alike);
        places[at] = alike.next().copied();
        if let (Some(first), Some(second)) = (places[at], alike.next()) {
            let (first, second) = (file[first].name(), file[*second].name());
            return Err(format!(
                "both '{first}' and '{second}' may be column '{}'",
                wanted.name()
            ));
        }
    }
    Ok(places)
}

/// Whether each value of the file's type has its like in the table's.
fn is_read_as(file: &DataType, table: &DataType) -> bool {
    let (file, table) = (plain_type(file), plain_type(table));
    match (&file, &table) {
        // Who declares a time says no unit.
        (DataType::Timestamp(_, a), DataType::Timestamp(_, b)) => a.is_some() == b.is_some(),
        (DataType::Date32 | DataType::Date64, DataType::Timestamp(_, None)) => true,
        (DataType::Struct(found), DataType::Struct(wanted)) => {
            let wanted = Schema::new(wanted.clone());
            read_as(&wanted, &Schema::new(found.clone()))
                .is_ok_and(|places| is_spelled(&places, found, wanted.fields()))
        }
        (DataType::List(found) | DataType::LargeList(found), DataType::List(wanted) | DataType::LargeList(wanted)) => {
            is_read_as(found.data_type(), wanted.data_type())
        }
        (DataType::Map(found, _), DataType::Map(wanted, _)) => are_entries(found, wanted),
        (file, table) => wider(file, table).is_ok_and(|wider| wider == *table),
    }
}

/// Keys and values have their places, and names that writers choose: these must be the same, since a cast goes by them.
fn are_entries(found: &Field, wanted: &Field) -> bool {
    let (DataType::Struct(found), DataType::Struct(wanted)) = (found.data_type(), wanted.data_type()) else {
        return false;
    };
    let is_alike = |(found, wanted): (&FieldRef, &FieldRef)| {
        found.name() == wanted.name() && is_read_as(found.data_type(), wanted.data_type())
    };
    found.len() == wanted.len() && found.iter().zip(wanted).all(is_alike)
}

/// Within structs names are taken as they are spelled.
fn is_spelled(places: &[Option<usize>], found: &Fields, wanted: &Fields) -> bool {
    let mut pairs = places.iter().zip(wanted);
    pairs.all(|(place, wanted)| place.is_none_or(|at| found[at].name() == wanted.name()))
}

fn wider_field(a: &Field, b: &Field) -> Result<Field, String> {
    let wider = wider(a.data_type(), b.data_type());
    let wider = wider.map_err(|()| format!("it has column {} where others have {}", named(b), named(a)))?;
    Ok(Field::new(a.name(), wider, true))
}

/// The type that holds the values of both.
fn wider(a: &DataType, b: &DataType) -> Result<DataType, ()> {
    use DataType::{
        Binary, Date32, Date64, Decimal128, Decimal256, Float16, Float32, Float64, LargeBinary, LargeList, LargeUtf8,
        List, Map, Null, Struct, Timestamp, Utf8,
    };
    Ok(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Utf8 | LargeUtf8, Utf8 | LargeUtf8 | Binary | LargeBinary) | (Binary | LargeBinary, Utf8 | LargeUtf8) => Utf8,
        (Binary | LargeBinary, Binary | LargeBinary) => Binary,
        (Float16, Float32) | (Float32, Float16) => Float32,
        (Float16 | Float32 | Float64, Float16 | Float32 | Float64) => Float64,
        (Date32, Date64) | (Date64, Date32) => Date64,
        (Date32 | Date64, Timestamp(unit, None)) | (Timestamp(unit, None), Date32 | Date64) => Timestamp(*unit, None),
        (Timestamp(a, zone), Timestamp(b, other)) if zone.is_some() == other.is_some() => {
            Timestamp(finer(*a, *b), zone.clone())
        }
        (Decimal128(..) | Decimal256(..), Decimal128(..) | Decimal256(..)) => decimal(a, b)?,
        (List(a), List(b)) => List(Arc::new(wider_element(a, b)?)),
        (LargeList(a), LargeList(b)) => LargeList(Arc::new(wider_element(a, b)?)),
        (Map(a, sorted), Map(b, _)) => Map(Arc::new(wider_entries(a, b)?), *sorted),
        (Struct(a), Struct(b)) => wider_struct(a, b)?,
        (a, b) => number(a, b)?,
    })
}

fn wider_element(a: &Field, b: &Field) -> Result<Field, ()> {
    Ok(Field::new(a.name(), wider(a.data_type(), b.data_type())?, true))
}

fn wider_struct(a: &Fields, b: &Fields) -> Result<DataType, ()> {
    let places = places(a, b).map_err(|_| ())?;
    match is_spelled(&places, b, a) {
        true => Ok(DataType::Struct(fields(a, b).map_err(|_| ())?)),
        false => Err(()),
    }
}

/// Keys are of one type.
fn wider_entries(a: &Field, b: &Field) -> Result<Field, ()> {
    let (DataType::Struct(of_a), DataType::Struct(of_b)) = (a.data_type(), b.data_type()) else {
        return Err(());
    };
    let ([key, value], [other_key, other_value]) = (of_a.as_ref(), of_b.as_ref()) else {
        return Err(());
    };
    let names = (key.name(), value.name());
    if key.data_type() != other_key.data_type() || names != (other_key.name(), other_value.name()) {
        return Err(());
    }
    let value = Arc::new(wider_element(value, other_value)?);
    let entries = DataType::Struct([Arc::clone(key), value].into_iter().collect());
    Ok(a.clone().with_data_type(entries))
}

fn finer(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    let order = [TimeUnit::Nanosecond, TimeUnit::Microsecond, TimeUnit::Millisecond];
    let finest = order.into_iter().find(|unit| [a, b].contains(unit));
    finest.unwrap_or(TimeUnit::Second)
}

/// Whole numbers among themselves, and beside floats and decimals.
fn number(a: &DataType, b: &DataType) -> Result<DataType, ()> {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => whole(a, b),
        (Some(whole), None) => mixed(whole, b),
        (None, Some(whole)) => mixed(whole, a),
        (None, None) => Err(()),
    }
}

/// A whole number's bits, and whether it has a sign.
type Integer = (u8, bool);

fn integer(data_type: &DataType) -> Option<Integer> {
    Some(match data_type {
        DataType::Int8 => (8, true),
        DataType::Int16 => (16, true),
        DataType::Int32 => (32, true),
        DataType::Int64 => (64, true),
        DataType::UInt8 => (8, false),
        DataType::UInt16 => (16, false),
        DataType::UInt32 => (32, false),
        DataType::UInt64 => (64, false),
        _ => return None,
    })
}

fn whole((a, a_signed): Integer, (b, b_signed): Integer) -> Result<DataType, ()> {
    let bits = match (a_signed, b_signed) {
        (true, false) => a.max(b.saturating_mul(2)),
        (false, true) => b.max(a.saturating_mul(2)),
        _ => a.max(b),
    };
    Ok(match (bits, a_signed || b_signed) {
        (16, true) => DataType::Int16,
        (32, true) => DataType::Int32,
        (64, true) => DataType::Int64,
        (16, false) => DataType::UInt16,
        (32, false) => DataType::UInt32,
        (64, false) => DataType::UInt64,
        (8, true) => DataType::Int8,
        (8, false) => DataType::UInt8,
        _ => return Err(()),
    })
}

/// A float holds a whole number of up to 32 bits exactly; a decimal one of all its digits.
fn mixed((bits, signed): Integer, other: &DataType) -> Result<DataType, ()> {
    let digits = match (bits, signed) {
        (8, _) => 3,
        (16, _) => 5,
        (32, _) => 10,
        (_, true) => 19,
        (_, false) => 20,
    };
    match other {
        DataType::Float16 | DataType::Float32 | DataType::Float64 if bits <= 32 => Ok(DataType::Float64),
        DataType::Decimal128(..) => decimal(&DataType::Decimal128(digits, 0), other),
        _ => Err(()),
    }
}

fn decimal(a: &DataType, b: &DataType) -> Result<DataType, ()> {
    let parts = |data_type: &DataType| match data_type {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => (*precision as i8, *scale),
        _ => (0, 0),
    };
    let ((precision, scale), (other_precision, other_scale)) = (parts(a), parts(b));
    let after = scale.max(other_scale);
    let before = (precision - scale).max(other_precision - other_scale);
    let digits = u8::try_from(before.saturating_add(after)).map_err(|_| ())?;
    match digits <= DECIMAL128_MAX_PRECISION {
        true => Ok(DataType::Decimal128(digits, after)),
        false => Err(()),
    }
}

#[cfg(test)]
mod tests;
