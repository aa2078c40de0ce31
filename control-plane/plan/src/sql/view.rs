//! `CREATE VIEW`: its name, its columns, and the text of its query, which is what is kept.

use super::parse::{self, not_supported};
use super::statement::{Command, NewViewStatement, QueryStatement};
use super::{command, token};
use datafusion::sql::sqlparser::ast::CreateView;
use mayfly_protocol::QueryError;

/// The command that the statement stands for.
pub(super) fn create(view: &CreateView) -> Result<Command, QueryError> {
    if view.materialized || view.temporary || view.secure {
        return Err(not_supported(
            "a materialized, temporary or secure view",
            "views are names for queries",
        ));
    }
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

/// The query of a view, from its text.
pub(crate) fn parse_body(sql: &str) -> Result<QueryStatement, QueryError> {
    parse::query(&token::tokenize(sql)?)
}
