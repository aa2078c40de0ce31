//! The relations of a FROM clause.

use super::query::check_alias;
use super::{refuse, refuse_some, select};
use crate::sql::sample;
use datafusion::sql::sqlparser::ast::{Expr, Spanned, TableAlias, TableFactor, TableFunctionArgs};
use mayfly_protocol::QueryError;

pub(super) fn check(relation: &TableFactor) -> Result<(), QueryError> {
    let place = relation.span();
    match relation {
        TableFactor::Table { .. } => check_table(relation),
        TableFactor::Derived {
            lateral: _,
            subquery: _,
            alias,
            sample,
        } => {
            check_name(alias.as_ref())?;
            refuse_some(
                sample.as_ref(),
                "TABLESAMPLE of a query",
                |_| place,
                "sample the tables within",
            )
        }
        TableFactor::TableFunction { expr: _, alias: _ } => {
            refuse("TABLE (function)", place, "call the function in FROM")
        }
        TableFactor::Function {
            lateral: _,
            name: _,
            args: _,
            with_ordinality,
            alias,
        } => {
            check_name(alias.as_ref())?;
            match with_ordinality {
                true => refuse("WITH ORDINALITY of a table function", place, ""),
                false => Ok(()),
            }
        }
        TableFactor::UNNEST {
            alias,
            // Planned or refused with it.
            array_exprs: _,
            with_offset: _,
            with_offset_alias: _,
            with_ordinality: _,
        } => check_name(alias.as_ref()),
        TableFactor::NestedJoin {
            table_with_joins,
            alias,
        } => {
            check_name(alias.as_ref())?;
            select::check_joins(table_with_joins)
        }
        TableFactor::JsonTable { .. } | TableFactor::OpenJsonTable { .. } => refuse("JSON_TABLE", place, ""),
        TableFactor::XmlTable { .. } => refuse("XMLTABLE", place, ""),
        TableFactor::Pivot { .. } => refuse("PIVOT", place, "write sum(…) FILTER (WHERE …) for each column"),
        TableFactor::Unpivot { .. } => refuse("UNPIVOT", place, "use CROSS JOIN UNNEST"),
        TableFactor::MatchRecognize { .. } => refuse("MATCH_RECOGNIZE", place, ""),
        TableFactor::SemanticView { .. } => refuse("SEMANTIC_VIEW", place, ""),
    }
}

fn check_name(alias: Option<&TableAlias>) -> Result<(), QueryError> {
    alias.map_or(Ok(()), check_alias)
}

fn check_table(relation: &TableFactor) -> Result<(), QueryError> {
    let TableFactor::Table {
        name,
        alias,
        args,
        with_hints,
        version,
        with_ordinality,
        partitions,
        json_path,
        sample,
        index_hints,
    } = relation
    else {
        return Ok(());
    };
    let place = name.span();
    check_name(alias.as_ref())?;
    if let Some(TableFunctionArgs { args: _, settings }) = args {
        refuse_some(settings.as_ref(), "SETTINGS of a table function", |_| place, "")?;
    }
    if *with_ordinality {
        return refuse("WITH ORDINALITY of a table", place, "use row_number() OVER ()");
    }
    sample.as_ref().map_or(Ok(()), |taken| sample::check(taken, place))?;
    refuse_some(with_hints.first(), "a table hint", Expr::span, "")?;
    refuse_some(
        version.as_ref(),
        "a table of another time",
        |_| place,
        "tables are their files as they are now",
    )?;
    refuse_some(
        partitions.first(),
        "PARTITION (…) of a table",
        |partition| partition.span,
        "filter on the partition's column: files of other partitions are not read",
    )?;
    refuse_some(json_path.as_ref(), "a path into a table", |_| place, "")?;
    refuse_some(index_hints.first(), "an index hint", |_| place, "")
}
