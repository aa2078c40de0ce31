//! Columns as they travel: plain. Dictionaries and runs are written out and views become offsets, so that a block never drags along the
//! buffers that its rows were cut from; on arrival the declared types are restored, nested ones included.

use super::FormatError;
use crate::ExchangeError;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use std::fmt::Write as _;
use std::sync::Arc;

/// A schema as declared, and as written.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    declared: SchemaRef,
    wire: SchemaRef,
    types: u32,
}

impl Wire {
    pub(crate) fn new(declared: SchemaRef) -> Result<Wire, ExchangeError> {
        let fields = declared.fields().iter();
        let fields = fields.map(|field| Ok(wire_field(field)?.with_nullable(true)));
        let fields = fields.collect::<Result<Vec<Field>, ExchangeError>>()?;
        let types = fields.iter().fold(String::new(), |mut text, field| {
            spell(field.data_type(), &mut text);
            text + ";"
        });
        Ok(Wire {
            declared,
            wire: Arc::new(Schema::new(fields)),
            types: crc32c::crc32c(types.as_bytes()),
        })
    }

    pub(crate) fn wire_schema(&self) -> &SchemaRef {
        &self.wire
    }

    /// Checksum of the column types as written, names and nullability apart. Stands in every block, since a reader of a partition never
    /// sees the object's header, and some types' buffers would pass for another's.
    pub(crate) fn types(&self) -> u32 {
        self.types
    }

    /// From the declared types, or what differs from them only in names and nullability, to the written ones.
    pub(crate) fn pack(&self, batch: &RecordBatch) -> Result<RecordBatch, ExchangeError> {
        if batch.num_columns() != self.wire.fields().len() {
            let message = format!(
                "{} columns instead of {}",
                batch.num_columns(),
                self.wire.fields().len()
            );
            return Err(ExchangeError::Schema { message });
        }
        let fields = self.declared.fields().iter().zip(self.wire.fields());
        let columns = batch.columns().iter().zip(fields);
        let columns = columns.map(|(column, (declared, wire))| pack_column(column, declared, wire));
        assemble(&self.wire, columns.collect::<Result<_, _>>()?, batch.num_rows()).map_err(ExchangeError::Encode)
    }

    /// Back to the declared types.
    pub(crate) fn unpack(&self, batch: &RecordBatch) -> Result<RecordBatch, FormatError> {
        let columns = batch.columns().iter().zip(self.declared.fields());
        let columns = columns.map(|(column, declared)| convert(column, declared.data_type()));
        columns
            .collect::<Result<_, _>>()
            .and_then(|columns| assemble(&self.declared, columns, batch.num_rows()))
            .map_err(|error| FormatError::Damaged(error.to_string()))
    }
}

/// A batch that keeps its row count even without columns.
fn assemble(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

fn pack_column(column: &ArrayRef, declared: &Field, wire: &Field) -> Result<ArrayRef, ExchangeError> {
    let (found, expected) = (column.data_type(), declared.data_type());
    if found != expected && spelled(found) != spelled(expected) {
        let message = format!("column {} is {found}, declared {expected}", declared.name());
        return Err(ExchangeError::Schema { message });
    }
    convert(column, wire.data_type()).map_err(ExchangeError::Encode)
}

fn convert(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == to {
        Ok(Arc::clone(column))
    } else {
        cast(column, to)
    }
}

/// The plain type that carries a type.
fn wire_type(declared: &DataType) -> Result<DataType, ExchangeError> {
    use DataType::*;
    Ok(match declared {
        Dictionary(_, values) => wire_type(values)?,
        RunEndEncoded(_, values) => wire_type(values.data_type())?,
        Utf8View => Utf8,
        BinaryView => Binary,
        List(item) | ListView(item) => List(wire_child(item)?),
        LargeList(item) | LargeListView(item) => LargeList(wire_child(item)?),
        FixedSizeList(item, size) => FixedSizeList(wire_child(item)?, *size),
        Struct(fields) => Struct(fields.iter().map(wire_child).collect::<Result<_, _>>()?),
        Map(entries, sorted) => Map(wire_child(entries)?, *sorted),
        Union(..) => {
            let message = format!("type {declared} cannot be exchanged");
            return Err(ExchangeError::Schema { message });
        }
        plain => plain.clone(),
    })
}

fn wire_field(field: &Field) -> Result<Field, ExchangeError> {
    Ok(Field::new(
        field.name(),
        wire_type(field.data_type())?,
        field.is_nullable(),
    ))
}

fn wire_child(field: &FieldRef) -> Result<FieldRef, ExchangeError> {
    wire_field(field).map(Arc::new)
}

fn spelled(data_type: &DataType) -> String {
    let mut text = String::new();
    spell(data_type, &mut text);
    text
}

/// A type as text, nested names, nullability and metadata left out.
fn spell(data_type: &DataType, text: &mut String) {
    use DataType::*;
    let (name, children): (&str, Vec<&FieldRef>) = match data_type {
        List(item) => ("list", vec![item]),
        ListView(item) => ("listview", vec![item]),
        LargeList(item) => ("largelist", vec![item]),
        LargeListView(item) => ("largelistview", vec![item]),
        FixedSizeList(item, size) => {
            write!(text, "{size}").expect("strings can grow");
            ("fixedlist", vec![item])
        }
        Struct(fields) => ("struct", fields.iter().collect()),
        Map(entries, _) => ("map", vec![entries]),
        plain => {
            write!(text, "{plain:?}").expect("strings can grow");
            return;
        }
    };
    text.push_str(name);
    text.push('<');
    for child in children {
        spell(child.data_type(), text);
        text.push(',');
    }
    text.push('>');
}

#[cfg(test)]
mod tests;
