//! Records of JSON → batches. A column of text takes any value: of an object, an array or a number it holds the text of the file.

use super::Wanted;
use super::failure::{Failed, Place, shown, sql_name};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use mayfly_files::text::Records;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stands where no column is asked for, so that rows are counted. No member is called so.
const NOTHING: &str = "\0";

/// Reads the records of JSON files.
pub struct Decoder {
    columns: SchemaRef,
    batch_rows: usize,
}

impl Decoder {
    pub fn new(wanted: &Wanted) -> Decoder {
        let held = wanted.held.fields();
        let read = wanted.projection.iter().filter_map(|column| held.get(*column).cloned());
        let mut columns: Vec<_> = read.collect();
        if columns.is_empty() {
            columns.push(Arc::new(Field::new(NOTHING, DataType::Utf8, true)));
        }
        Decoder {
            columns: Arc::new(Schema::new(columns)),
            batch_rows: wanted.batch_rows,
        }
    }

    /// As it stands, or else with values restated as text where text is wanted.
    pub fn decode(&self, text: &[u8]) -> Result<Vec<RecordBatch>, ArrowError> {
        let read = read(text, &self.columns, self.batch_rows);
        match read {
            Err(_) if self.has_text() => read_restated(text, &self.columns, self.batch_rows),
            read => read,
        }
    }

    fn has_text(&self) -> bool {
        self.columns.fields().iter().any(|field| holds_text(field.data_type()))
    }

    /// The first record that cannot be read, and what of it.
    pub fn failed(&self, text: &[u8], place: Place, cause: &ArrowError) -> Failed {
        let (mut records, mut from, mut at) = (Records::json(), 0, place);
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
        let nothing = |why: String| Failed {
            place,
            column: None,
            why,
        };
        let members: BTreeMap<String, &RawValue> = match serde_json::from_slice(record) {
            Ok(members) => members,
            Err(error) => {
                let (line, at) = (error.line().saturating_sub(1) as u64, error.column());
                let text = error.to_string();
                let why = text.split(" at line ").next().unwrap_or_default();
                let place = Place {
                    lines: place.lines + line,
                    ..place
                };
                return Failed {
                    place,
                    column: None,
                    why: format!("{why} at character {at}"),
                };
            }
        };
        let alone = |field: &&Arc<Field>| {
            let columns = Arc::new(Schema::new(vec![Arc::clone(field)]));
            read_restated(record, &columns, self.batch_rows).is_err()
        };
        match self.columns.fields().iter().find(alone) {
            Some(field) => Failed {
                place,
                column: Some(field.name().clone()),
                why: match members.get(field.name()) {
                    Some(value) => format!("{} is no {}", shown(value.get()), sql_name(field.data_type())),
                    None => plain(cause),
                },
            },
            None => nothing(plain(cause)),
        }
    }
}

fn plain(cause: &ArrowError) -> String {
    let text = cause.to_string();
    text.strip_prefix("Json error: ").unwrap_or(&text).to_owned()
}

fn read(text: &[u8], columns: &SchemaRef, batch_rows: usize) -> Result<Vec<RecordBatch>, ArrowError> {
    let reader = ReaderBuilder::new(Arc::clone(columns))
        .with_batch_size(batch_rows)
        .with_coerce_primitive(true);
    reader.build(text)?.collect()
}

fn read_restated(text: &[u8], columns: &SchemaRef, batch_rows: usize) -> Result<Vec<RecordBatch>, ArrowError> {
    let (mut records, mut from, mut restated) = (Records::json(), 0, Vec::with_capacity(text.len() * 2));
    while from < text.len() {
        let end = records.end(&text[from..]).map_or(text.len(), |end| from + end);
        match serde_json::from_slice::<BTreeMap<String, &RawValue>>(&text[from..end]) {
            Ok(members) => restated.extend_from_slice(object(columns.fields(), &members).as_bytes()),
            Err(_) => restated.extend_from_slice(&text[from..end]),
        }
        restated.push(b'\n');
        from = end;
    }
    read(&restated, columns, batch_rows)
}

fn holds_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 => true,
        DataType::Struct(fields) => fields.iter().any(|field| holds_text(field.data_type())),
        DataType::List(element) => holds_text(element.data_type()),
        _ => false,
    }
}

fn object(fields: &[Arc<Field>], members: &BTreeMap<String, &RawValue>) -> String {
    let member = |field: &Arc<Field>| {
        let value = members.get(field.name())?;
        let name = serde_json::to_string(field.name()).expect("a text is JSON");
        Some(format!("{name}:{}", value_as(field.data_type(), value)))
    };
    let members: Vec<String> = fields.iter().filter_map(member).collect();
    format!("{{{}}}", members.join(","))
}

/// The value, as JSON that the type takes.
fn value_as(data_type: &DataType, value: &RawValue) -> String {
    let text = value.get();
    match data_type {
        DataType::Utf8 if text == "null" || text.starts_with('"') => text.to_owned(),
        DataType::Utf8 => serde_json::to_string(text).expect("a text is JSON"),
        DataType::Struct(fields) => match serde_json::from_str(text) {
            Ok(members) => object(fields, &members),
            Err(_) => text.to_owned(),
        },
        DataType::List(element) => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(values) => {
                let values = values.into_iter().map(|value| value_as(element.data_type(), value));
                format!("[{}]", values.collect::<Vec<_>>().join(","))
            }
            Err(_) => text.to_owned(),
        },
        _ => text.to_owned(),
    }
}
