//! A file's columns without encodings: views and dictionaries become what they encode, metadata that writers leave is dropped, and every
//! column may hold NULL. That one file's writer promised none says nothing of the next file.

use arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::{ConvertedType, Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::{ColumnPath, SchemaDescriptor};
use std::sync::Arc;

/// The file's columns as they are read: INT96 as microseconds, since nanoseconds do not reach beyond 1677 and 2262. Columns (not what
/// is within them) keep the writer's promise to hold no NULL.
pub fn schema(metadata: &ParquetMetaData) -> Result<Schema, ParquetError> {
    let file = metadata.file_metadata();
    let written = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())?;
    let roots = file.schema_descr().root_schema().get_fields();
    // What is left out as having no members would be counted where columns are read.
    if written.fields().len() != roots.len() {
        let is_there = |name: &str| written.field_with_name(name).is_ok();
        let lost = roots
            .iter()
            .find(|root| !is_there(root.name()))
            .map_or("", |root| root.name());
        return Err(ParquetError::General(format!(
            "column '{lost}' is a group without members"
        )));
    }
    refuse_intervals(file.schema_descr())?;
    let old = Int96::of(file.schema_descr());
    let plain = plain_schema(&written);
    let fields = plain.fields().iter().zip(written.fields()).map(|(plain, written)| {
        let field = old.field(plain, &[]).as_ref().clone();
        field.with_nullable(written.is_nullable())
    });
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

/// Parquet's intervals have months, days and milliseconds; its reader drops the months.
fn refuse_intervals(schema: &SchemaDescriptor) -> Result<(), ParquetError> {
    let mut columns = schema.columns().iter();
    match columns.find(|column| column.converted_type() == ConvertedType::INTERVAL) {
        None => Ok(()),
        Some(column) => {
            let text = format!(
                "column '{}' holds intervals, which cannot be read",
                column.path().string()
            );
            Err(ParquetError::NYI(text))
        }
    }
}

/// The schema without encodings and without promises.
pub fn plain_schema(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        let field = plain_field(field);
        let small = small_type(field.data_type());
        field.with_data_type(small)
    });
    Schema::new(fields.collect::<Vec<Field>>())
}

/// A column of large texts is read as views like any other text; what functions make of it has the same types.
fn small_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 => DataType::Utf8,
        DataType::LargeBinary => DataType::Binary,
        other => other.clone(),
    }
}

fn plain_field(field: &Field) -> Field {
    Field::new(field.name(), plain_type(field.data_type()), true)
}

pub(crate) fn plain_type(data_type: &DataType) -> DataType {
    let nested = |field: &FieldRef| Arc::new(plain_field(field));
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::RunEndEncoded(_, value) => plain_type(value.data_type()),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::List(field) | DataType::ListView(field) => DataType::List(nested(field)),
        DataType::LargeList(field) | DataType::LargeListView(field) => DataType::LargeList(nested(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(nested(field), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(nested).collect()),
        DataType::Map(entries, sorted) => DataType::Map(plain_entries(entries), *sorted),
        other => other.clone(),
    }
}

/// A map has no NULL for an entry, and none for a key.
fn plain_entries(entries: &FieldRef) -> FieldRef {
    let plain = plain_field(entries);
    let DataType::Struct(fields) = plain.data_type() else {
        return Arc::new(plain);
    };
    let keyed = fields.iter().enumerate().map(|(at, field)| match at {
        0 => Arc::new(field.as_ref().clone().with_nullable(false)),
        _ => Arc::clone(field),
    });
    let keyed = DataType::Struct(keyed.collect());
    Arc::new(plain.with_data_type(keyed).with_nullable(false))
}

/// The columns that Parquet's oldest type of timestamps holds.
struct Int96(Vec<ColumnPath>);

impl Int96 {
    fn of(schema: &SchemaDescriptor) -> Int96 {
        let columns = schema.columns().iter();
        let old = columns.filter(|column| column.physical_type() == Type::INT96);
        Int96(old.map(|column| column.path().clone()).collect())
    }

    /// As DataFusion's own reader coerces them: below structs, lists and maps too.
    fn field(&self, field: &FieldRef, above: &[&str]) -> FieldRef {
        if self.0.is_empty() {
            return Arc::clone(field);
        }
        let path: Vec<&str> = above.iter().copied().chain([field.name().as_str()]).collect();
        let data_type = match field.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, None) if self.holds(&path) => {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| self.field(field, &path)).collect()),
            DataType::Map(entries, sorted) => DataType::Map(self.field(entries, &path), *sorted),
            DataType::List(element) => {
                let path: Vec<&str> = path.iter().copied().chain(["list"]).collect();
                DataType::List(self.field(element, &path))
            }
            other => other.clone(),
        };
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    }

    fn holds(&self, path: &[&str]) -> bool {
        let is_it = |column: &ColumnPath| column.parts().iter().map(String::as_str).eq(path.iter().copied());
        self.0.iter().any(is_it)
    }
}

#[cfg(test)]
mod tests;
