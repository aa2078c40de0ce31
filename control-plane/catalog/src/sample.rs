//! The columns of text files, from their first lines: a bounded part of a few files.

use crate::{Location, error};
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::error::ArrowError;
use arrow::json::reader::infer_json_schema_from_seekable;
use bytes::Bytes;
use mayfly_protocol::{Compression, CsvFormat, FileFormat, QueryError};
use mayfly_store::{Listed, Store};
use std::io::{Cursor, Read};
use std::sync::Arc;

/// Files that are looked into: the first, the last, and others evenly between.
const FILES_MAX: usize = 8;

/// How much of each file is read.
const READ_BYTES: u64 = 1 << 20;

/// How much a sample may unpack to.
const UNPACKED_BYTES_MAX: u64 = 8 << 20;

/// Rows of each file that decide.
const ROWS_MAX: usize = 1_000;

/// The columns that the files have in common.
pub(crate) async fn infer(
    store: &Store,
    location: &Location,
    listed: &[Listed],
    format: &FileFormat,
) -> Result<Schema, QueryError> {
    let mut schema: Option<Schema> = None;
    for file in chosen(listed) {
        let name = location.file(&file.key);
        let text = text(store, location, file, format.compression_of(&file.key)).await?;
        let found = of_text(text, format).map_err(|cause| error::bad_text_file(&name, format, cause))?;
        schema = Some(match schema {
            None => found,
            Some(schema) => merged(&schema, &found, format).map_err(|why| error::schema_mismatch(&name, &why))?,
        });
    }
    let schema = schema.ok_or_else(|| error::empty_location(&location.to_string()))?;
    Ok(without_nulls(&schema))
}

fn chosen(listed: &[Listed]) -> impl Iterator<Item = &Listed> {
    let count = listed.len().min(FILES_MAX);
    let last = listed.len().saturating_sub(1);
    (0..count).map(move |at| &listed[at * last / count.saturating_sub(1).max(1)])
}

/// The file's first lines, whole ones unless there is but one.
async fn text(
    store: &Store,
    location: &Location,
    file: &Listed,
    compression: Compression,
) -> Result<Vec<u8>, QueryError> {
    let name = location.file(&file.key);
    let end = file.size_bytes.min(READ_BYTES);
    let read = store.get_range(&location.bucket, &file.key, 0..end, Some(&file.etag));
    let bytes = read.await.map_err(|cause| error::store(&name, &cause))?;
    let is_whole = end == file.size_bytes && compression == Compression::None;
    let mut text = unpacked(&bytes, compression);
    if text.is_empty() {
        return Err(error::bad_file(&name, format!("it does not unpack as {compression}")));
    }
    if !is_whole && let Some(last) = text.iter().rposition(|byte| *byte == b'\n') {
        text.truncate(last + 1);
    }
    Ok(text)
}

/// As much as the bytes yield: the end of a sample is not the end of its file.
fn unpacked(bytes: &Bytes, compression: Compression) -> Vec<u8> {
    let packed = Cursor::new(bytes.clone());
    let reader: Box<dyn Read> = match compression {
        Compression::None => Box::new(packed),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(packed)),
        Compression::Xz => Box::new(liblzma::read::XzDecoder::new_multi_decoder(packed)),
        Compression::Zstd => match zstd::Decoder::new(packed) {
            Ok(decoder) => Box::new(decoder),
            Err(_) => return Vec::new(),
        },
    };
    let mut text = Vec::new();
    // What was unpacked before an error stands.
    let _ = reader.take(UNPACKED_BYTES_MAX).read_to_end(&mut text);
    text
}

fn of_text(text: Vec<u8>, format: &FileFormat) -> Result<Schema, ArrowError> {
    match format {
        FileFormat::Csv(csv) => {
            let (schema, _) = csv_format(csv).infer_schema(Cursor::new(text), Some(ROWS_MAX))?;
            Ok(schema)
        }
        _ => {
            let (schema, _) = infer_json_schema_from_seekable(Cursor::new(text), Some(ROWS_MAX))?;
            Ok(schema)
        }
    }
}

fn csv_format(csv: &CsvFormat) -> Format {
    let mut format = Format::default()
        .with_header(csv.has_header)
        .with_delimiter(csv.delimiter as u8)
        .with_quote(csv.quote as u8);
    if let Some(escape) = csv.escape {
        format = format.with_escape(escape as u8);
    }
    if let Some(comment) = csv.comment {
        format = format.with_comment(comment as u8);
    }
    format
}

/// CSV files agree column by column, JSON files name by name.
fn merged(a: &Schema, b: &Schema, format: &FileFormat) -> Result<Schema, String> {
    if matches!(format, FileFormat::Csv(_)) && a.fields().len() != b.fields().len() {
        return Err(format!("it has {} columns, not {}", b.fields().len(), a.fields().len()));
    }
    Ok(Schema::new(merged_fields(a.fields(), b.fields())))
}

fn merged_fields(a: &Fields, b: &Fields) -> Fields {
    let both = a.iter().map(|field| match b.find(field.name()) {
        Some((_, other)) => Arc::new(merged_field(field, other)),
        None => field.clone(),
    });
    let only_b = b.iter().filter(|field| a.find(field.name()).is_none()).cloned();
    both.chain(only_b).collect()
}

fn merged_field(a: &FieldRef, b: &FieldRef) -> Field {
    Field::new(a.name(), merged_type(a.data_type(), b.data_type()), true)
}

/// The type that holds values of both; text holds any.
fn merged_type(a: &DataType, b: &DataType) -> DataType {
    match (a, b) {
        (a, b) if a == b => a.clone(),
        (DataType::Null, other) | (other, DataType::Null) => other.clone(),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => DataType::Float64,
        (DataType::Struct(a), DataType::Struct(b)) => DataType::Struct(merged_fields(a, b)),
        (DataType::List(a), DataType::List(b)) => DataType::List(Arc::new(merged_field(a, b))),
        _ => DataType::Utf8,
    }
}

/// A column without a value in the sample is text.
fn without_nulls(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Null => Field::new(field.name(), DataType::Utf8, true),
        _ => field.as_ref().clone().with_nullable(true),
    });
    Schema::new(fields.collect::<Vec<_>>())
}
