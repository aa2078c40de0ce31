//! The columns of text files, from their first records: a bounded part of a few files.

mod guess;

use crate::{Location, error};
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::error::ArrowError;
use bytes::Bytes;
use mayfly_files::text::{BYTE_ORDER_MARK, Unlisted, distinct_names, is_array};
use mayfly_protocol::{Compression, CsvFormat, ErrorCode, FileFormat, QueryError};
use mayfly_store::{Listed, Store};
use std::io::{Cursor, Read};
use std::sync::Arc;

/// Files that are looked into: the first, the last, and others evenly between.
const FILES_MAX: usize = 8;

/// How much of each file is read, unless its first record is longer.
const READ_BYTES: u64 = 1 << 20;

/// Longest first record.
const RECORD_BYTES_MAX: u64 = 64 << 20;

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
        let text = text(store, location, file, format).await?;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let found = of_text(text, format).map_err(|cause| error::bad_text_file(&name, format, cause))?;
        schema = Some(match schema {
            None => found,
            Some(schema) => merged(&schema, &found, format).map_err(|why| error::schema_mismatch(&name, &why))?,
        });
    }
    let schema = schema.ok_or_else(|| {
        let message = format!("no file at '{location}' has a record to take columns from");
        QueryError::new(ErrorCode::BadFile, message).hint("list the columns that the table shall have")
    })?;
    Ok(without_nulls(&schema))
}

/// Declared columns as the files spell them, where they differ in case alone: members of JSON are found as they are spelled.
pub(crate) async fn spelled(
    store: &Store,
    location: &Location,
    listed: &[Listed],
    format: &FileFormat,
    declared: Schema,
) -> Schema {
    if !matches!(format, FileFormat::Json(_)) {
        return declared;
    }
    let Ok(found) = infer(store, location, listed, format).await else {
        return declared;
    };
    let spelled = |field: &FieldRef| {
        let is_alike = |other: &&FieldRef| other.name().to_lowercase() == field.name().to_lowercase();
        match found.fields().iter().find(is_alike) {
            Some(alike) if found.field_with_name(field.name()).is_err() => {
                field.as_ref().clone().with_name(alike.name())
            }
            _ => field.as_ref().clone(),
        }
    };
    Schema::new(declared.fields().iter().map(spelled).collect::<Vec<_>>())
}

fn chosen(listed: &[Listed]) -> impl Iterator<Item = &Listed> {
    let count = listed.len().min(FILES_MAX);
    let last = listed.len().saturating_sub(1);
    (0..count).map(move |at| &listed[at * last / count.saturating_sub(1).max(1)])
}

/// The file's first lines, whole ones unless there is but one.
async fn text(store: &Store, location: &Location, file: &Listed, format: &FileFormat) -> Result<Vec<u8>, QueryError> {
    let name = location.file(&file.key);
    let compression = format.compression_of(&file.key);
    let mut wanted = READ_BYTES;
    loop {
        let end = file.size_bytes.min(wanted);
        let read = store.get_range(&location.bucket, &file.key, 0..end, Some(&file.etag));
        let bytes = read.await.map_err(|cause| error::store(&name, &cause))?;
        let is_whole = end == file.size_bytes;
        let unpacked = unpacked(&bytes, compression, wanted.max(UNPACKED_BYTES_MAX));
        let (text, is_cut) = unpacked.map_err(|cause| error::bad_text_file(&name, format, cause))?;
        let mut text = unlisted(text, format);
        if let Some(last) = text.iter().rposition(|byte| *byte == b'\n') {
            if !is_whole || is_cut {
                text.truncate(last + 1);
            }
            return Ok(text);
        }
        if is_whole && !is_cut || wanted >= RECORD_BYTES_MAX {
            return Ok(text);
        }
        wanted *= 4;
    }
}

/// Records of a JSON array on lines of their own.
fn unlisted(mut text: Vec<u8>, format: &FileFormat) -> Vec<u8> {
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    match format {
        FileFormat::Json(_) if is_array(&text) => Unlisted::default().next(&text),
        _ => text,
    }
}

/// As much as the bytes yield, and whether there is more: the end of a sample is not the end of its file. Bytes that yield nothing but an
/// error are no such file.
fn unpacked(bytes: &Bytes, compression: Compression, bytes_max: u64) -> Result<(Vec<u8>, bool), std::io::Error> {
    let packed = Cursor::new(bytes.clone());
    let reader: Box<dyn Read> = match compression {
        Compression::None => Box::new(packed),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(packed)),
        Compression::Xz => Box::new(liblzma::read::XzDecoder::new_multi_decoder(packed)),
        Compression::Zstd => Box::new(zstd::Decoder::new(packed)?),
    };
    let mut text = Vec::new();
    // What was unpacked before an error stands.
    match reader.take(bytes_max).read_to_end(&mut text) {
        Err(cause) if text.is_empty() => Err(cause),
        read => {
            let is_cut = read.is_err() || text.len() as u64 == bytes_max;
            Ok((text, is_cut))
        }
    }
}

fn of_text(text: Vec<u8>, format: &FileFormat) -> Result<Schema, ArrowError> {
    match format {
        FileFormat::Csv(csv) => {
            let (schema, _) = csv_format(csv).infer_schema(Cursor::new(text), Some(ROWS_MAX))?;
            let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            let fields = schema.fields().iter().zip(distinct_names(&names));
            let named = fields.map(|(field, name)| field.as_ref().clone().with_name(name));
            Ok(Schema::new(named.collect::<Vec<_>>()))
        }
        _ => guess::schema(&text, ROWS_MAX),
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
    if let Some(null) = &csv.null_value {
        let pattern = format!("^(?:{})?$", regex::escape(null));
        format = format.with_null_regex(regex::Regex::new(&pattern).expect("an escaped text is a pattern"));
    }
    format
}

/// CSV files have the same columns, in an order of their own where a header names them; JSON files agree name by name.
fn merged(a: &Schema, b: &Schema, format: &FileFormat) -> Result<Schema, String> {
    let FileFormat::Csv(csv) = format else {
        return Ok(Schema::new(merged_fields(a.fields(), b.fields())));
    };
    if a.fields().len() != b.fields().len() {
        return Err(format!("it has {} columns, not {}", b.fields().len(), a.fields().len()));
    }
    let names = |schema: &Schema| {
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect::<Vec<_>>()
    };
    let (of_a, of_b) = (names(a), names(b));
    let wanted: Vec<&str> = of_a.iter().map(String::as_str).collect();
    let places = match csv.has_header {
        true => mayfly_files::text::places(&wanted, &of_b)?,
        false => (0..of_a.len()).collect(),
    };
    let pairs = a
        .fields()
        .iter()
        .zip(places)
        .map(|(field, place)| merged_field(field, &b.fields()[place]));
    Ok(Schema::new(pairs.collect::<Vec<_>>()))
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

/// A column without a value in the sample is text, and so is what is within it.
fn without_nulls(schema: &Schema) -> Schema {
    Schema::new(schema.fields().iter().map(without_null).collect::<Vec<_>>())
}

fn without_null(field: &FieldRef) -> Field {
    let data_type = match field.data_type() {
        DataType::Null => DataType::Utf8,
        // No member was seen: the next record may have any.
        DataType::Struct(fields) if fields.is_empty() => DataType::Utf8,
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| Arc::new(without_null(field))).collect())
        }
        DataType::List(element) => DataType::List(Arc::new(without_null(element))),
        other => other.clone(),
    };
    Field::new(field.name(), data_type, true)
}
