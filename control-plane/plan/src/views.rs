//! Views: a name for a query. The query is planned anew each time, where it was written, and its columns keep the view's names.

use crate::context::Context;
use crate::sql::{self, NewViewStatement, QueryStatement};
use crate::{Session, error, resolve};
use arrow::datatypes::{Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::{Column, Result as DfResult};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use mayfly_catalog::{NewView, TableRef, ViewDefinition};
use mayfly_protocol::{ErrorCode, QueryError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A view that a statement names.
pub(crate) struct View {
    pub definition: ViewDefinition,
    pub query: QueryStatement,
}

impl View {
    pub(crate) fn parse(definition: ViewDefinition) -> Result<View, QueryError> {
        let query = sql::parse_body(&definition.sql).map_err(|cause| stale(&definition.name, cause))?;
        Ok(View { definition, query })
    }

    /// The session in which the view's names mean what they meant when it was created.
    pub(crate) fn session(&self, session: &Session) -> Session {
        Session {
            catalog: self.definition.catalog.clone(),
            schema: Some(self.definition.schema.clone()),
            ..session.clone()
        }
    }

    /// The view as a table, over the tables and views that the context has already.
    pub(crate) async fn provider(
        &self,
        context: &Context,
        session: &Session,
    ) -> Result<Arc<dyn TableProvider>, QueryError> {
        let inside = context.inside(&self.definition.catalog, &self.definition.schema);
        let ast = self.query.ast.clone();
        let plan = resolve::logical(&inside, ast, &self.session(session)).await;
        let plan = plan.map_err(|cause| stale(&self.definition.name, cause))?;
        let (is, was) = (plan.schema().fields().len(), self.definition.columns.fields().len());
        if is != was {
            let cause = QueryError::new(
                ErrorCode::SchemaMismatch,
                format!("its query yields {is} columns, not {was}"),
            );
            return Err(stale(&self.definition.name, cause));
        }
        let plan = renamed(plan, &self.definition.columns).map_err(error::from_datafusion)?;
        Ok(Arc::new(ViewTable::new(plan, Some(self.definition.sql.clone()))))
    }
}

/// A column that has its name already is left alone: DataFusion's optimizer trips over `s AS s` where a part of a struct is read.
fn renamed(plan: LogicalPlan, names: &Schema) -> DfResult<LogicalPlan> {
    let columns = plan.schema().columns();
    let pairs = || columns.iter().zip(names.fields());
    if pairs().all(|(column, field)| column.name() == field.name()) {
        return Ok(plan);
    }
    let expression = |(column, field): (&Column, &Arc<Field>)| match column.name() == field.name() {
        true => Expr::Column(column.clone()),
        false => Expr::Column(column.clone()).alias(field.name()),
    };
    let expressions: Vec<Expr> = pairs().map(expression).collect();
    LogicalPlanBuilder::from(plan).project(expressions)?.build()
}

/// What `CREATE VIEW` asks the catalog for, once its query was planned and yields `names`.
pub(crate) fn new(
    statement: NewViewStatement,
    name: TableRef,
    plan: &LogicalPlan,
    names: &[String],
    session: &Session,
) -> Result<NewView, QueryError> {
    let fields = plan.schema().fields();
    let names: Vec<String> = match statement.columns.is_empty() {
        true => names.iter().map(|name| name.to_lowercase()).collect(),
        false => statement.columns,
    };
    if names.len() != fields.len() {
        let message = format!(
            "the view names {} columns and its query yields {}",
            names.len(),
            fields.len()
        );
        return Err(QueryError::new(ErrorCode::InvalidArguments, message));
    }
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        let error = QueryError::new(ErrorCode::InvalidArguments, "two columns of the view have one name");
        return Err(error.hint("give each column of its query a name of its own with AS"));
    }
    let column =
        |(name, field): (&String, &Arc<Field>)| Field::new(name, field.data_type().clone(), field.is_nullable());
    let columns: Vec<Field> = names.iter().zip(fields).map(column).collect();
    Ok(NewView {
        view: ViewDefinition {
            name,
            sql: statement.sql,
            catalog: session.catalog.to_lowercase(),
            schema: session.schema(),
            columns: Arc::new(Schema::new(columns)),
        },
        or_replace: statement.or_replace,
        if_not_exists: statement.if_not_exists,
    })
}

/// An error inside a view: its place is one in the view's text, not in the statement's.
pub(crate) fn stale(view: &TableRef, cause: QueryError) -> QueryError {
    QueryError {
        message: format!("view '{view}' cannot be planned any more: {}", cause.message),
        location: None,
        ..cause
    }
}

pub(crate) fn circle(view: &TableRef) -> QueryError {
    let message = format!("view '{view}' would stand on itself");
    QueryError::new(ErrorCode::InvalidArguments, message)
}

pub(crate) fn too_deep(view: &TableRef, most: usize) -> QueryError {
    let message = format!("view '{view}' stands on more than {most} views, or on itself");
    QueryError::new(ErrorCode::TooComplex, message)
}
