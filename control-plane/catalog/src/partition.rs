//! Hive partitions: `year=2024/month=1/` in a key are the values of columns that the files themselves do not hold.

use crate::{Location, error};
use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;
use mayfly_protocol::QueryError;
use std::sync::Arc;

/// Stands for NULL in a key.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Types that partition columns may be inferred to have, the narrowest first. What is none of them is text.
const INFERRED: [DataType; 2] = [DataType::Int64, DataType::Date32];

/// Names and values in the key, from the outermost folder inwards. Names are in lower case.
pub(crate) fn of_key(location: &Location, key: &str) -> Vec<(String, Option<String>)> {
    let below = key.strip_prefix(&location.folder()).unwrap_or_default();
    let folders = below.rsplit_once('/').map_or("", |(folders, _)| folders);
    let pairs = folders.split('/').filter_map(|folder| folder.split_once('='));
    pairs
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| {
            (
                decoded(name).to_lowercase(),
                Some(decoded(value)).filter(|value| value != NULL),
            )
        })
        .collect()
}

/// Writers escape what a path cannot hold as `%XX`. What is no escape stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let escaped = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The partition columns of the files and their types. Without `wanted` they are those that all keys have; with it, all keys must have
/// them, in that order.
pub(crate) fn infer(location: &Location, keys: &[&str], wanted: Option<&[String]>) -> Result<Vec<Field>, QueryError> {
    let of_files: Vec<Vec<(String, Option<String>)>> = keys.iter().map(|key| of_key(location, key)).collect();
    let names =
        |values: &[(String, Option<String>)]| -> Vec<String> { values.iter().map(|(name, _)| name.clone()).collect() };
    let first = of_files.first().map(|values| names(values)).unwrap_or_default();
    let expected = wanted.map_or(first, <[String]>::to_vec);
    if let Some(at) = of_files.iter().position(|values| names(values) != expected) {
        let file = location.file(keys[at]);
        return match wanted {
            Some(_) => Err(error::not_partitioned(&file, &expected)),
            // Folders that only happen to look like partitions.
            None if expected.is_empty() || names(&of_files[at]).is_empty() => Ok(Vec::new()),
            None => Err(error::not_partitioned(&file, &expected)),
        };
    }
    let column = |(at, name): (usize, &String)| {
        let values: StringArray = of_files.iter().map(|values| values[at].1.as_deref()).collect();
        Field::new(name, narrowest(&(Arc::new(values) as ArrayRef)), true)
    };
    Ok(expected.iter().enumerate().map(column).collect())
}

fn narrowest(values: &ArrayRef) -> DataType {
    let fits = |data_type: &&DataType| values.null_count() < values.len() && cast(values, data_type).is_ok();
    INFERRED.iter().find(fits).cloned().unwrap_or(DataType::Utf8)
}

/// A time is no date: as one, it would lose its hours.
fn cast(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let mut texts = values.as_string::<i32>().iter().flatten();
    if *data_type == DataType::Date32
        && let Some(text) = texts.find(|text| !is_date(text))
    {
        return Err(ArrowError::CastError(format!("'{text}' is not of the form 2026-01-31")));
    }
    let strict = CastOptions {
        safe: false,
        format_options: FormatOptions::default(),
    };
    cast_with_options(values, data_type, &strict)
}

fn is_date(text: &str) -> bool {
    let is_mark = |at: usize| matches!(at, 4 | 7);
    let is_right = |(at, byte): (usize, &u8)| {
        if is_mark(at) {
            *byte == b'-'
        } else {
            byte.is_ascii_digit()
        }
    };
    text.len() == 10 && text.as_bytes().iter().enumerate().all(is_right)
}

/// The values of the partition columns, a row for each file.
pub(crate) fn batch(location: &Location, keys: &[&str], columns: &[FieldRef]) -> Result<RecordBatch, QueryError> {
    let of_files: Vec<Vec<(String, Option<String>)>> = keys.iter().map(|key| of_key(location, key)).collect();
    let names: Vec<String> = columns.iter().map(|column| column.name().to_lowercase()).collect();
    let mut arrays = Vec::with_capacity(columns.len());
    for (column, name) in columns.iter().zip(&names) {
        let mut texts = Vec::with_capacity(keys.len());
        for (values, key) in of_files.iter().zip(keys) {
            let value = values.iter().find(|(found, _)| found == name);
            let value = value.ok_or_else(|| error::not_partitioned(&location.file(key), &names))?;
            texts.push(value.1.as_deref());
        }
        let texts: ArrayRef = Arc::new(StringArray::from(texts));
        let typed = cast(&texts, column.data_type());
        arrays.push(typed.map_err(|cause| error::bad_partition(&location.to_string(), column, &cause))?);
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(keys.len()));
    let schema = Arc::new(Schema::new(columns.to_vec()));
    RecordBatch::try_new_with_options(schema, arrays, &rows)
        .map_err(|cause| error::corrupt_object(&location.to_string(), cause))
}

#[cfg(test)]
mod tests;
