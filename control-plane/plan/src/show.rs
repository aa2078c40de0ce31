//! SHOW and DESCRIBE: metadata as rows, in the columns that Trino's clients expect.

mod create;

use crate::property::{self, Properties};
use crate::provider::lower_case;
use crate::sql::Show;
use crate::{Planned, PlannerSettings, Session, error, information, table_of_text, types};
use arrow::array::{Scalar, StringArray};
use arrow::datatypes::{DataType, FieldRef};
use mayfly_catalog::{CATALOG_NAME, Catalog, Relation, TableRef};
use mayfly_protocol::{ErrorCode, QueryError};

pub(crate) async fn answer(
    show: Show,
    catalog: &Catalog,
    session: &Session,
    settings: &PlannerSettings,
) -> Result<Planned, QueryError> {
    match show {
        Show::Catalogs { like } => Ok(names("Catalog", vec![CATALOG_NAME.to_owned()], like.as_deref())),
        Show::Schemas { catalog: named, like } => {
            check_catalog(&named)?;
            let mut schemas = catalog.schemas().await?;
            schemas.push(information::SCHEMA.to_owned());
            schemas.sort();
            Ok(names("Schema", schemas, like.as_deref()))
        }
        Show::Tables { schema, like } => {
            let schema = schema_name(&schema, session)?;
            let tables = match schema == information::SCHEMA {
                true => information::NAMES.map(str::to_owned).into(),
                false => catalog.tables(&schema).await?,
            };
            Ok(names("Table", tables, like.as_deref()))
        }
        Show::Columns { table } => columns(&table_name(&table, session)?, catalog).await,
        Show::CreateTable { table } => create_table(&table_name(&table, session)?, catalog).await,
        Show::CreateView { view } => create_view(&table_name(&view, session)?, catalog).await,
        Show::Session { like } => session_properties(session, settings, like.as_deref()),
    }
}

fn names(column: &str, names: Vec<String>, like: Option<&str>) -> Planned {
    let rows: Vec<Vec<String>> = names
        .into_iter()
        .filter(|name| like.is_none_or(|pattern| matches(pattern, name)))
        .map(|name| vec![name])
        .collect();
    table_of_text::answer(&[column], &rows)
}

fn check_catalog(named: &[String]) -> Result<(), QueryError> {
    match named {
        [] => Ok(()),
        [name] if name == CATALOG_NAME => Ok(()),
        other => {
            let message = format!("Catalog '{}' does not exist", other.join("."));
            Err(QueryError::new(ErrorCode::CatalogNotFound, message).hint(format!("did you mean '{CATALOG_NAME}'?")))
        }
    }
}

fn schema_name(named: &[String], session: &Session) -> Result<String, QueryError> {
    match named {
        [] => Ok(session.schema()),
        [schema] => Ok(schema.clone()),
        [catalog, schema] => {
            check_catalog(std::slice::from_ref(catalog))?;
            Ok(schema.clone())
        }
        other => Err(error::not_supported(format!(
            "'{}' does not name a schema",
            other.join(".")
        ))),
    }
}

/// The full name of the table that a statement calls so.
pub(crate) fn table_name(named: &[String], session: &Session) -> Result<TableRef, QueryError> {
    let unnamed = || error::not_supported(format!("'{}' does not name a table", named.join(".")));
    session.resolve(named).ok_or_else(unnamed)
}

async fn columns(table: &TableRef, catalog: &Catalog) -> Result<Planned, QueryError> {
    let relation = catalog.relation(table).await?;
    let schema = lower_case(relation.schema());
    let folders = match &relation {
        Relation::Table(table) => schema.fields().len() - table.partition_columns,
        Relation::View(_) => schema.fields().len(),
    };
    let column = |(at, field): (usize, &FieldRef)| {
        let extra = if at < folders { "" } else { "partition key" };
        (field.name().clone(), field.data_type().clone(), extra)
    };
    let columns: Vec<(String, DataType, &str)> = schema.fields().iter().enumerate().map(column).collect();
    Ok(described(
        columns
            .iter()
            .map(|(name, data_type, extra)| (name.as_str(), data_type, *extra)),
    ))
}

/// Columns as DESCRIBE shows them: name, type, and what else is to be said.
pub(crate) fn described<'a>(columns: impl Iterator<Item = (&'a str, &'a DataType, &'a str)>) -> Planned {
    let row = |(name, data_type, extra): (&str, &DataType, &str)| {
        vec![
            name.to_owned(),
            types::type_name(data_type),
            extra.to_owned(),
            String::new(),
        ]
    };
    let rows: Vec<Vec<String>> = columns.map(row).collect();
    table_of_text::answer(&["Column", "Type", "Extra", "Comment"], &rows)
}

async fn create_table(table: &TableRef, catalog: &Catalog) -> Result<Planned, QueryError> {
    match catalog.relation(table).await? {
        Relation::Table(table) => Ok(table_of_text::answer(&["Create Table"], &[vec![create::table(&table)]])),
        Relation::View(_) => {
            let error = error::not_supported(format!("relation '{table}' is a view, not a table"));
            Err(error.hint("SHOW CREATE VIEW shows it"))
        }
    }
}

async fn create_view(view: &TableRef, catalog: &Catalog) -> Result<Planned, QueryError> {
    match catalog.relation(view).await? {
        Relation::View(view) => Ok(table_of_text::answer(&["Create View"], &[vec![create::view(&view)]])),
        Relation::Table(_) => {
            let error = error::not_supported(format!("relation '{view}' is a table, not a view"));
            Err(error.hint("SHOW CREATE TABLE shows it"))
        }
    }
}

fn session_properties(
    session: &Session,
    settings: &PlannerSettings,
    like: Option<&str>,
) -> Result<Planned, QueryError> {
    let Properties { .. } = session.properties()?;
    let mut rows: Vec<Vec<String>> = property::all()
        .filter(|known| like.is_none_or(|pattern| matches(pattern, known.name)))
        .map(|known| {
            let default = default_value(known.name, settings);
            let value = session.properties.get(known.name).unwrap_or(&default).clone();
            vec![
                known.name.to_owned(),
                value,
                default,
                known.r#type.to_owned(),
                known.description.to_owned(),
            ]
        })
        .collect();
    rows.sort();
    Ok(table_of_text::answer(
        &["Name", "Value", "Default", "Type", "Description"],
        &rows,
    ))
}

fn default_value(name: &str, settings: &PlannerSettings) -> String {
    match name {
        "target_task_bytes" => settings.target_task_bytes.to_string(),
        "target_partitions" => settings.executor_vcpus.to_string(),
        _ => String::new(),
    }
}

/// SQL's LIKE: `%` is any text, `_` any one character, `\` takes the next one as it is. Takes time linear in the text for any pattern.
fn matches(pattern: &str, text: &str) -> bool {
    let one = |text: &str| Scalar::new(StringArray::from(vec![text]));
    let like = arrow::compute::like(&one(text), &one(pattern)).expect("both sides are text");
    like.value(0)
}
