//! Commands: what changes the catalog, and what the client shall change in its session.

use crate::sql::{Command, NewTableStatement};
use crate::{Planned, Session, SessionChange, context, error, property, show};
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use datafusion::logical_expr::{DdlStatement, LogicalPlan};
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::DataType as SqlType;
use mayfly_catalog::{Catalog, NewTable};
use mayfly_protocol::QueryError;
use std::sync::Arc;

pub(crate) async fn run(command: Command, catalog: &Catalog, session: &Session) -> Result<Planned, QueryError> {
    let update = |update_type: &'static str, session| Planned::Update {
        update_type: update_type.into(),
        session,
    };
    match command {
        Command::CreateTable(create) => {
            create_table(create, catalog, session).await?;
            Ok(update("CREATE TABLE", Vec::new()))
        }
        Command::CreateSchema { name, if_not_exists } => {
            let schema = schema_name(&name)?;
            catalog.create_schema(&schema, if_not_exists).await?;
            Ok(update("CREATE SCHEMA", Vec::new()))
        }
        Command::DropTable { name, if_exists } => {
            let table = show::table_name(&name, session)?;
            catalog.drop_table(&table, if_exists).await?;
            Ok(update("DROP TABLE", Vec::new()))
        }
        Command::DropView { name, if_exists } => {
            let view = show::table_name(&name, session)?;
            catalog.drop_view(&view, if_exists).await?;
            Ok(update("DROP VIEW", Vec::new()))
        }
        Command::CreateView(_) | Command::AnalyzeTable { .. } => {
            Err(error::internal("the planner itself runs what takes a query"))
        }
        Command::Use { name } => Ok(update("USE", use_schema(&name, catalog, session).await?)),
        Command::SetSession { key, value } => {
            property::check(&key, &value)?;
            Ok(update("SET SESSION", vec![SessionChange::SetProperty { key, value }]))
        }
        Command::ResetSession { key } => {
            property::check_name(&key)?;
            Ok(update("RESET SESSION", vec![SessionChange::ResetProperty { key }]))
        }
    }
}

async fn create_table(create: NewTableStatement, catalog: &Catalog, session: &Session) -> Result<bool, QueryError> {
    let columns = match create.declared {
        Some(statement) => Some(declared(statement, session).await?),
        None => None,
    };
    let new = NewTable {
        name: show::table_name(&create.name, session)?,
        location: create.location,
        format: create.format,
        partitions: create.partitions,
        columns,
        if_not_exists: create.if_not_exists,
    };
    catalog.create_table(new).await
}

/// The columns that the statement declares, with DataFusion's types for them; but a time of which no digits are said has microseconds,
/// since nanoseconds end in 2262.
async fn declared(statement: DfStatement, session: &Session) -> Result<SchemaRef, QueryError> {
    let columns = match &statement {
        DfStatement::CreateExternalTable(create) => create.columns.clone(),
        _ => Vec::new(),
    };
    // A time with a zone keeps one, whatever the client's is.
    let zoned = Session {
        time_zone: session.time_zone.clone().or_else(|| Some("UTC".to_owned())),
        ..session.clone()
    };
    let plan = context::bare(&zoned)?.statement_to_plan(statement).await;
    let LogicalPlan::Ddl(DdlStatement::CreateExternalTable(create)) = plan.map_err(error::from_datafusion)? else {
        return Err(error::internal("a CREATE EXTERNAL TABLE is not planned as one"));
    };
    let planned = create.schema.as_arrow().fields().iter();
    let fields = planned.map(|field| {
        let written = columns
            .iter()
            .find(|column| column.name.value.eq_ignore_ascii_case(field.name()));
        match (written.map(|column| &column.data_type), field.data_type()) {
            (Some(SqlType::Timestamp(None, _) | SqlType::Datetime(None)), DataType::Timestamp(_, zone)) => {
                let time = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                Arc::new(field.as_ref().clone().with_data_type(time))
            }
            _ => Arc::clone(field),
        }
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn schema_name(name: &[String]) -> Result<String, QueryError> {
    match name {
        [schema] => Ok(schema.clone()),
        [catalog, schema] if catalog == mayfly_catalog::CATALOG_NAME => Ok(schema.clone()),
        other => Err(error::not_supported(format!(
            "'{}' does not name a schema of 'lake'",
            other.join(".")
        ))),
    }
}

/// `USE schema` or `USE catalog.schema`: both must exist.
async fn use_schema(name: &[String], catalog: &Catalog, session: &Session) -> Result<Vec<SessionChange>, QueryError> {
    match name {
        [schema] => {
            catalog.check_schema(&session.catalog.to_lowercase(), schema).await?;
            Ok(vec![SessionChange::SetSchema(schema.clone())])
        }
        [named, schema] => {
            catalog.check_schema(named, schema).await?;
            Ok(vec![
                SessionChange::SetCatalog(named.clone()),
                SessionChange::SetSchema(schema.clone()),
            ])
        }
        other => Err(error::not_supported(format!(
            "'{}' does not name a schema",
            other.join(".")
        ))),
    }
}
