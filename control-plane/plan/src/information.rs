//! `information_schema`: schemata, tables and columns as tables of text, read from the catalog's objects when a query names them.

use crate::provider::lower_case;
use crate::{error, table_of_text, types};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemTable, MemorySchemaProvider, SchemaProvider};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use mayfly_catalog::{CATALOG_NAME, Catalog, Relation, TableRef};
use mayfly_protocol::QueryError;
use std::sync::Arc;

/// The schema's name.
pub(crate) const SCHEMA: &str = "information_schema";

/// Relations that are read at once.
const READS_MAX: usize = 32;

/// Its tables.
pub(crate) const NAMES: [&str; 3] = ["columns", "schemata", "tables"];

const POSITION: &str = "ordinal_position";
const SCHEMATA: [&str; 2] = ["catalog_name", "schema_name"];
const TABLES: [&str; 4] = ["table_catalog", "table_schema", "table_name", "table_type"];
const COLUMNS: [&str; 7] = [
    "table_catalog",
    "table_schema",
    "table_name",
    "column_name",
    POSITION,
    "is_nullable",
    "data_type",
];

/// The three tables, as the catalog is now.
pub(crate) async fn schema(catalog: &Catalog) -> Result<Arc<dyn SchemaProvider>, QueryError> {
    let schemas = catalog.schemas().await?;
    let relations = relations(catalog, &schemas).await?;
    let schemata: Vec<Vec<String>> = schemas.iter().map(|schema| row(&[CATALOG_NAME, schema])).collect();
    let tables: Vec<Vec<String>> = relations.iter().map(table_row).collect();
    let columns: Vec<Vec<String>> = relations.iter().flat_map(column_rows).collect();
    let provider = MemorySchemaProvider::new();
    register(&provider, "schemata", &SCHEMATA, &schemata)?;
    register(&provider, "tables", &TABLES, &tables)?;
    register(&provider, "columns", &COLUMNS, &columns)?;
    Ok(Arc::new(provider))
}

async fn relations(catalog: &Catalog, schemas: &[String]) -> Result<Vec<Relation>, QueryError> {
    let mut names = Vec::new();
    for schema in schemas {
        names.extend(catalog.tables(schema).await?.into_iter().map(|table| TableRef {
            catalog: CATALOG_NAME.to_owned(),
            schema: schema.clone(),
            table,
        }));
    }
    stream::iter(names)
        .map(async |name| catalog.readable_relation(&name).await)
        .buffered(READS_MAX)
        .try_filter_map(async |relation| Ok(relation))
        .try_collect()
        .await
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn table_row(relation: &Relation) -> Vec<String> {
    let name = relation.name();
    let kind = match relation {
        Relation::Table(_) => "BASE TABLE",
        Relation::View(_) => "VIEW",
    };
    row(&[&name.catalog, &name.schema, &name.table, kind])
}

fn column_rows(relation: &Relation) -> Vec<Vec<String>> {
    let name = relation.name();
    let schema = lower_case(relation.schema());
    let column = |(at, field): (usize, &Arc<arrow::datatypes::Field>)| {
        let nullable = if field.is_nullable() { "YES" } else { "NO" };
        let position = (at + 1).to_string();
        let r#type = types::type_name(field.data_type());
        row(&[
            &name.catalog,
            &name.schema,
            &name.table,
            field.name(),
            &position,
            nullable,
            &r#type,
        ])
    };
    schema.fields().iter().enumerate().map(column).collect()
}

fn register(
    provider: &MemorySchemaProvider,
    name: &str,
    columns: &[&str],
    rows: &[Vec<String>],
) -> Result<(), QueryError> {
    let batch = with_positions(table_of_text::batch(columns, rows))?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).map_err(error::from_datafusion)?;
    provider
        .register_table(name.to_owned(), Arc::new(table))
        .map_err(error::from_datafusion)?;
    Ok(())
}

/// Positions are numbers: the tenth column comes after the second.
fn with_positions(batch: RecordBatch) -> Result<RecordBatch, QueryError> {
    let (schema, mut columns, _) = batch.into_parts();
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    for (field, column) in fields.iter_mut().zip(&mut columns) {
        if field.name() == POSITION {
            *column = cast(column, &DataType::Int64).map_err(|cause| error::internal(cause.to_string()))?;
            *field = field.clone().with_data_type(DataType::Int64);
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|cause| error::internal(cause.to_string()))
}
