//! The object of a name: a table's says where it lies, how it is written and which columns it has; a view's holds its query. Columns
//! stand twice: as text for people, as an Arrow IPC stream without batches for exactness.

use crate::whole::{self, Whole};
use crate::{LearnedStatistics, Location, TableRef, error};
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use mayfly_files::plain_schema;
use mayfly_protocol::{FileFormat, QueryError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Version of the table object.
const VERSION: u32 = 1;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    Table(TableDefinition),
    View(ViewDefinition),
}

/// What `CREATE EXTERNAL TABLE` fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDefinition {
    pub name: TableRef,
    pub location: Location,
    pub format: FileFormat,
    /// The files' columns, then those that their folders name.
    pub schema: SchemaRef,
    /// How many of the columns are folders'.
    pub partition_columns: usize,
    /// What ANALYZE TABLE found.
    pub learned: Option<LearnedStatistics>,
}

/// What `CREATE VIEW` fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewDefinition {
    pub name: TableRef,
    pub sql: String,
    /// Where the query's names are looked up.
    pub catalog: String,
    pub schema: String,
    /// The columns when the view was created; its query may yield others now.
    pub columns: SchemaRef,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    name: TableRef,
    columns: Vec<StoredColumn>,
    arrow_schema: String,
    #[serde(flatten)]
    what: StoredRelation,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredRelation {
    Table {
        location: Location,
        #[serde(flatten)]
        format: FileFormat,
        #[serde(default)]
        partition_columns: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        learned: Option<LearnedStatistics>,
    },
    View {
        sql: String,
        catalog: String,
        schema: String,
    },
}

#[derive(Serialize, Deserialize)]
struct StoredColumn {
    name: String,
    r#type: String,
}

impl Relation {
    pub fn name(&self) -> &TableRef {
        match self {
            Relation::Table(table) => &table.name,
            Relation::View(view) => &view.name,
        }
    }

    pub fn schema(&self) -> &SchemaRef {
        match self {
            Relation::Table(table) => &table.schema,
            Relation::View(view) => &view.columns,
        }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, QueryError> {
        check_nesting(self.name(), self.schema())?;
        let what = match self {
            Relation::Table(table) => StoredRelation::Table {
                location: table.location.clone(),
                format: table.format.clone(),
                partition_columns: table.partition_columns,
                learned: table.learned.clone(),
            },
            Relation::View(view) => StoredRelation::View {
                sql: view.sql.clone(),
                catalog: view.catalog.clone(),
                schema: view.schema.clone(),
            },
        };
        let schema = self.schema();
        let stored = Stored {
            v: VERSION,
            name: self.name().clone(),
            columns: schema.fields().iter().map(column).collect(),
            arrow_schema: encode_schema(schema).map_err(|cause| error::corrupt_object(&self.name().table, cause))?,
            what,
        };
        let json = serde_json::to_vec_pretty(&stored).expect("a struct of strings is JSON");
        Ok(whole::seal(json))
    }

    pub(crate) fn decode(key: &str, bytes: &[u8]) -> Result<Relation, QueryError> {
        if whole::look(bytes) == Whole::No {
            return Err(error::corrupt_object(key, "it is damaged"));
        }
        let stored: Stored = serde_json::from_slice(bytes).map_err(|cause| error::corrupt_object(key, cause))?;
        if stored.v != VERSION {
            return Err(error::corrupt_object(
                key,
                format!("version {} is not {VERSION}", stored.v),
            ));
        }
        let columns = decode_schema(&stored.arrow_schema).map_err(|cause| error::corrupt_object(key, cause))?;
        let name = stored.name;
        Ok(match stored.what {
            StoredRelation::Table { partition_columns, .. } if partition_columns > columns.fields().len() => {
                return Err(error::corrupt_object(key, "it has more partition columns than columns"));
            }
            StoredRelation::Table {
                location,
                format,
                partition_columns,
                learned,
            } => Relation::Table(TableDefinition {
                name,
                location,
                format,
                schema: columns,
                partition_columns,
                learned,
            }),
            StoredRelation::View { sql, catalog, schema } => Relation::View(ViewDefinition {
                name,
                sql,
                catalog,
                schema,
                columns,
            }),
        })
    }
}

/// Lists, structs and maps in one another. Deeper ones are written and cannot be read: Arrow's reader and protobuf's both count levels,
/// several for each of these.
const NESTING_MAX: usize = 24;

pub(crate) fn check_nesting(name: &TableRef, columns: &Schema) -> Result<(), QueryError> {
    let mut fields = columns.fields().iter();
    let deep = fields.find(|field| nests_deeper(field.data_type(), NESTING_MAX));
    deep.map_or(Ok(()), |field| {
        Err(error::nests_too_deep(name, field.name(), NESTING_MAX))
    })
}

/// Level by level, so that no depth overflows the stack.
fn nests_deeper(data_type: &DataType, most: usize) -> bool {
    let mut level = vec![data_type];
    for _ in 0..=most {
        level = level.into_iter().flat_map(children).collect();
    }
    !level.is_empty()
}

fn children(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => vec![field.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        _ => Vec::new(),
    }
}

impl TableDefinition {
    /// The columns that the files hold.
    pub fn file_schema(&self) -> Schema {
        let columns = self.schema.fields().len() - self.partition_columns;
        Schema::new(self.schema.fields()[..columns].to_vec())
    }

    /// The columns that their folders name.
    pub fn partition_fields(&self) -> &[FieldRef] {
        &self.schema.fields()[self.schema.fields().len() - self.partition_columns..]
    }
}

fn column(field: &FieldRef) -> StoredColumn {
    StoredColumn {
        name: field.name().clone(),
        r#type: field.data_type().to_string(),
    }
}

fn encode_schema(schema: &Schema) -> Result<String, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    writer.finish()?;
    Ok(BASE64_STANDARD.encode(writer.into_inner()?))
}

fn decode_schema(text: &str) -> Result<SchemaRef, ArrowError> {
    let bytes = BASE64_STANDARD
        .decode(text)
        .map_err(|cause| ArrowError::ParseError(cause.to_string()))?;
    let written = StreamReader::try_new(bytes.as_slice(), None)?.schema();
    // A definition promises nothing of the files: who declares NOT NULL, or wrote one file, does not speak for all.
    Ok(Arc::new(plain_schema(&written)))
}

#[cfg(test)]
mod tests;
