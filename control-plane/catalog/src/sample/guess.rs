//! Types of JSON values: of each record by itself, then of all. Names keep the order in which they are first seen.

use super::{merged_fields, merged_type};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// The columns of the first records.
pub(super) fn schema(text: &[u8], rows_max: usize) -> Result<Schema, ArrowError> {
    let mut fields = Fields::empty();
    let mut records = serde_json::Deserializer::from_slice(text).into_iter::<Guess>();
    for (row, record) in records.by_ref().take(rows_max).enumerate() {
        match record {
            Ok(Guess(DataType::Struct(found))) => fields = merged_fields(&fields, &found),
            Ok(_) => return Err(ArrowError::JsonError(format!("record {} is no object", row + 1))),
            // The sample may end within a record.
            Err(cause) if cause.is_eof() && row > 0 => break,
            Err(cause) => return Err(ArrowError::JsonError(cause.to_string())),
        }
    }
    Ok(Schema::new(fields))
}

/// The type of one value.
struct Guess(DataType);

impl<'de> Deserialize<'de> for Guess {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Guess, D::Error> {
        deserializer.deserialize_any(Types).map(Guess)
    }
}

struct Types;

impl<'de> Visitor<'de> for Types {
    type Value = DataType;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<DataType, E> {
        Ok(DataType::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<DataType, E> {
        Ok(DataType::Boolean)
    }

    fn visit_i64<E>(self, _: i64) -> Result<DataType, E> {
        Ok(DataType::Int64)
    }

    fn visit_u64<E>(self, value: u64) -> Result<DataType, E> {
        Ok(match i64::try_from(value) {
            Ok(_) => DataType::Int64,
            Err(_) => DataType::Float64,
        })
    }

    fn visit_f64<E>(self, _: f64) -> Result<DataType, E> {
        Ok(DataType::Float64)
    }

    fn visit_str<E>(self, _: &str) -> Result<DataType, E> {
        Ok(DataType::Utf8)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<DataType, A::Error> {
        let mut element = DataType::Null;
        while let Some(Guess(found)) = values.next_element()? {
            element = merged_type(&element, &found);
        }
        Ok(DataType::List(Arc::new(Field::new("item", element, true))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<DataType, A::Error> {
        let mut fields: Vec<Field> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            // The first of a name counts, as it does where rows are read.
            if fields.iter().any(|field| *field.name() == name) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let Guess(found) = members.next_value()?;
            fields.push(Field::new(name, found, true));
        }
        Ok(DataType::Struct(fields.into()))
    }
}
