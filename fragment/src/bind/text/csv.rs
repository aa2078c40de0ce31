//! Records of CSV → batches, by the layout of their file.

use super::Wanted;
use super::failure::{Failed, Place, shown, sql_name};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::Format;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use mayfly_files::text::{BYTE_ORDER_MARK, Csv, Records, places};
use mayfly_protocol::CsvFormat;
use regex::Regex;
use std::io::Cursor;
use std::sync::Arc;

/// What separates values.
pub fn marks(csv: &CsvFormat) -> Csv {
    Csv {
        delimiter: csv.delimiter as u8,
        quote: csv.quote as u8,
        escape: csv.escape.map(|escape| escape as u8),
        comment: csv.comment.map(|comment| comment as u8),
    }
}

/// Reads the records of one file.
pub struct Decoder {
    format: CsvFormat,
    /// The file's columns, with the types of the table's where it has them.
    columns: SchemaRef,
    /// The columns to read, by their places in the file.
    projection: Vec<usize>,
    batch_rows: usize,
}

impl Decoder {
    /// By the first line of the file, if that names the columns.
    pub fn new(wanted: &Wanted, format: &CsvFormat, header: Option<Vec<String>>) -> Result<Decoder, String> {
        let held = wanted.held.fields();
        let names: Vec<&str> = held.iter().map(|field| field.name().as_str()).collect();
        let (places, count) = match header {
            Some(header) => (places(&names, &header)?, header.len()),
            None => ((0..held.len()).collect(), held.len()),
        };
        let unknown = |at: usize| Arc::new(Field::new(format!("column {}", at + 1), DataType::Utf8, true));
        let mut columns: Vec<FieldRef> = (0..count).map(unknown).collect();
        for (field, place) in held.iter().zip(&places) {
            columns[*place] = Arc::clone(field);
        }
        let read = wanted
            .projection
            .iter()
            .filter_map(|column| places.get(*column).copied());
        Ok(Decoder {
            format: format.clone(),
            projection: read.collect(),
            columns: Arc::new(Schema::new(columns)),
            batch_rows: wanted.batch_rows,
        })
    }

    pub fn decode(&self, text: &[u8]) -> Result<Vec<RecordBatch>, ArrowError> {
        self.read(text, &self.columns, &self.projection)
    }

    fn read(&self, text: &[u8], columns: &SchemaRef, projection: &[usize]) -> Result<Vec<RecordBatch>, ArrowError> {
        let reader = ReaderBuilder::new(Arc::clone(columns))
            .with_format(arrow_format(&self.format))
            .with_header(false)
            .with_batch_size(self.batch_rows)
            .with_projection(projection.to_vec());
        reader.build(Cursor::new(text))?.collect()
    }

    /// The first record that cannot be read, and what of it.
    pub fn failed(&self, text: &[u8], place: Place, cause: &ArrowError) -> Failed {
        let (mut records, mut from, mut at) = (Records::csv(marks(&self.format)), 0, place);
        while from < text.len() {
            let end = records.end(&text[from..]).map_or(text.len(), |end| from + end);
            let record = &text[from..end];
            if let Err(cause) = self.decode(record) {
                return self.of_record(record, at, &cause);
            }
            (from, at) = (end, at.behind(record));
        }
        Failed {
            place,
            column: None,
            why: plain(cause),
        }
    }

    fn of_record(&self, record: &[u8], place: Place, cause: &ArrowError) -> Failed {
        let fails = |column: &&usize| self.read(record, &self.columns, std::slice::from_ref(column)).is_err();
        let texts = self.texts(record);
        let (Some(column), Some(texts)) = (self.projection.iter().find(fails), texts) else {
            return Failed {
                place,
                column: None,
                why: plain(cause),
            };
        };
        let field = self.columns.field(*column);
        let value = texts
            .column(*column)
            .as_string::<i32>()
            .iter()
            .next()
            .flatten()
            .unwrap_or_default()
            .to_owned();
        Failed {
            place,
            column: Some(field.name().clone()),
            why: format!("'{}' is no {}", shown(&value), sql_name(field.data_type())),
        }
    }

    /// The record's values as they are written, if it has as many as it should.
    fn texts(&self, record: &[u8]) -> Option<RecordBatch> {
        let text = |field: &FieldRef| field.as_ref().clone().with_data_type(DataType::Utf8);
        let columns: Vec<Field> = self.columns.fields().iter().map(text).collect();
        let all: Vec<usize> = (0..columns.len()).collect();
        self.read(record, &Arc::new(Schema::new(columns)), &all)
            .ok()?
            .into_iter()
            .next()
    }
}

/// What arrow says, without the line that it counts: it was shown one record.
fn plain(cause: &ArrowError) -> String {
    let text = cause.to_string();
    let text = text.strip_prefix("Csv error: ").unwrap_or(&text);
    match text.split_once(" for line ").or_else(|| text.split_once(" at line ")) {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}{}", rest.split(". Row data").next().unwrap_or_default())
        }
        None => text.to_owned(),
    }
}

fn arrow_format(csv: &CsvFormat) -> Format {
    let mut format = Format::default()
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
        format = format.with_null_regex(Regex::new(&pattern).expect("an escaped text is a pattern"));
    }
    format
}

/// The names in the first record of the text, and where that ends; nothing if there is no record.
pub fn header(text: &[u8], csv: &CsvFormat) -> Option<(Vec<String>, usize)> {
    let skipped = if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let (mut records, mut from) = (Records::csv(marks(csv)), skipped);
    while from < text.len() {
        let end = records.end(&text[from..]).map_or(text.len(), |end| from + end);
        let record = &text[from..end];
        let is_comment = csv
            .comment
            .is_some_and(|comment| record.first() == Some(&(comment as u8)));
        if !is_comment && !record.trim_ascii().is_empty() {
            let (schema, _) = arrow_format(csv)
                .with_header(true)
                .infer_schema(Cursor::new(record), Some(0))
                .ok()?;
            return Some((schema.fields().iter().map(|field| field.name().clone()).collect(), end));
        }
        from = end;
    }
    None
}
