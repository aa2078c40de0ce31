//! `CREATE VIEW`: its name, its columns, and the text of its query, which is what is kept.

use super::parse::{self, not_supported};
use super::statement::{Command, NewViewStatement, QueryStatement};
use super::{command, guard, token};
use datafusion::sql::sqlparser::ast::{CreateTableOptions, CreateView, ViewColumnDef};
use mayfly_protocol::QueryError;

/// The command that the statement stands for.
pub(super) fn create(view: &CreateView) -> Result<Command, QueryError> {
    guard::check(&view.query)?;
    check(view)?;
    let sql = view.query.to_string();
    parse_body(&sql)?;
    Ok(Command::CreateView(NewViewStatement {
        name: command::parts(&view.name)?,
        columns: view
            .columns
            .iter()
            .map(|column| column.name.value.to_lowercase())
            .collect(),
        sql,
        or_replace: view.or_replace,
        if_not_exists: view.if_not_exists,
    }))
}

/// Every clause of the statement is kept or refused.
fn check(view: &CreateView) -> Result<(), QueryError> {
    let CreateView {
        or_alter,
        or_replace: _,
        materialized,
        secure,
        name: _,
        name_before_not_exists: _,
        columns,
        query: _,
        options,
        cluster_by,
        comment,
        with_no_schema_binding,
        if_not_exists: _,
        temporary,
        copy_grants,
        to,
        params,
    } = view;
    let refuse = |what| Err(not_supported(what, "views are names for queries"));
    if *materialized || *temporary || *secure {
        return refuse("a materialized, temporary or secure view");
    }
    let typed = |column: &ViewColumnDef| {
        let ViewColumnDef {
            name: _,
            data_type,
            options,
        } = column;
        data_type.is_some() || options.is_some()
    };
    if columns.iter().any(typed) {
        return refuse("a type or an option of a view's column");
    }
    let plain = matches!(options, CreateTableOptions::None)
        && !or_alter
        && !with_no_schema_binding
        && !copy_grants
        && cluster_by.is_empty()
        && comment.is_none()
        && to.is_none()
        && params.is_none();
    match plain {
        true => Ok(()),
        false => refuse("an option of CREATE VIEW"),
    }
}

/// The query of a view, from its text.
pub(crate) fn parse_body(sql: &str) -> Result<QueryStatement, QueryError> {
    parse::query(&token::tokenize(sql)?)
}
