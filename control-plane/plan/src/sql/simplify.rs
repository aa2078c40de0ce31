//! Ways of writing that DataFusion refuses → those that mean the same and that it takes: FETCH FIRST n ROWS ONLY, GROUP BY (), LIKE with
//! an escape character other than the backslash, VALUES as the query of an expression, LISTAGG, and ARRAY[…], within which it knows no column
//! but those of the relation at hand: none of an outer query, and no parameter of a lambda.

use super::{outward, syntax, template};
use crate::error;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, GroupByExpr, Ident,
    LimitClause, ObjectName, Query, Select, SetExpr, Spanned, TableAlias, TableFactor, Value, ValueWithSpan, VisitMut,
    VisitorMut,
};
use mayfly_protocol::{ErrorCode, QueryError};
use std::ops::ControlFlow;

pub(super) fn simplify(query: &mut Query) -> Result<(), QueryError> {
    match query.visit(&mut Simplify) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Simplify;

impl VisitorMut for Simplify {
    type Break = QueryError;

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        fetch_as_limit(query);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        if let GroupByExpr::Expressions(keys, _) = &mut select.group_by {
            without_empty_keys(keys);
        }
        select.from.iter_mut().for_each(outward::apart);
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, relation: &mut TableFactor) -> ControlFlow<QueryError> {
        outward::as_list(relation);
        if let TableFactor::NestedJoin { table_with_joins, .. } = relation {
            outward::apart(table_with_joins);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        if let Expr::Like {
            pattern, escape_char, ..
        }
        | Expr::ILike {
            pattern, escape_char, ..
        } = expr
            && let Some(escape) = escape_char
            && let Err(error) = escape_by_backslash(pattern, escape)
        {
            return ControlFlow::Break(error);
        }
        if let Expr::InSubquery { subquery, .. } | Expr::Subquery(subquery) = expr {
            values_as_select(subquery);
        }
        if let Expr::Array(list) = expr {
            *expr = syntax::call("make_array", std::mem::take(&mut list.elem));
        }
        if let Expr::Function(function) = expr {
            listagg_as_string_agg(function);
        }
        ControlFlow::Continue(())
    }
}

/// `listagg(x, ',') WITHIN GROUP (ORDER BY y)` → `string_agg(x, ',' ORDER BY y)`
fn listagg_as_string_agg(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else {
        return;
    };
    if !function.name.to_string().eq_ignore_ascii_case("listagg") || function.within_group.is_empty() {
        return;
    }
    if list.args.len() == 1 {
        let nothing = Expr::value(Value::SingleQuotedString(String::new()));
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(nothing)));
    }
    let order = std::mem::take(&mut function.within_group);
    list.clauses.push(FunctionArgumentClause::OrderBy(order));
    function.name = ObjectName::from(vec![Ident::new("string_agg")]);
}

/// `x IN (VALUES (1), (2))` → `x IN (SELECT * FROM (VALUES (1), (2)) AS …)`
fn values_as_select(query: &mut Query) {
    if !matches!(query.body.as_ref(), SetExpr::Values(_)) {
        return;
    }
    let values = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query.clone()),
        alias: Some(TableAlias {
            explicit: true,
            name: Ident::with_quote('"', "__values"),
            columns: Vec::new(),
            at: None,
        }),
        sample: None,
    };
    if let Some(written) = template::over("SELECT * FROM t", values) {
        *query = written;
    }
}

/// A FETCH without a number is of one row. What is not a number of rows was refused before.
fn fetch_as_limit(query: &mut Query) {
    let Some(fetch) = query.fetch.take() else {
        return;
    };
    let one = || Expr::value(Value::Number("1".to_owned(), false));
    let limit = Some(fetch.quantity.unwrap_or_else(one));
    let offset = match query.limit_clause.take() {
        Some(LimitClause::LimitOffset { offset, .. }) => offset,
        _ => None,
    };
    query.limit_clause = Some(LimitClause::LimitOffset {
        limit,
        offset,
        limit_by: Vec::new(),
    });
}

/// `()` beside other keys says nothing; alone it is the one group of all rows.
fn without_empty_keys(keys: &mut Vec<Expr>) {
    let is_empty = |key: &Expr| matches!(key, Expr::Tuple(values) if values.is_empty());
    let written = keys.len();
    keys.retain(|key| !is_empty(key));
    if keys.is_empty() && written > 0 {
        keys.push(Expr::GroupingSets(vec![Vec::new()]));
    }
}

fn escape_by_backslash(pattern: &mut Expr, escape: &mut ValueWithSpan) -> Result<(), QueryError> {
    let place = error::location(escape.span.start);
    let Value::SingleQuotedString(text) = &escape.value else {
        return Err(error::not_supported("ESCAPE with anything but a text is not supported").at(place));
    };
    let mut characters = text.chars();
    let (character, None) = (characters.next(), characters.next()) else {
        let message = "the text behind ESCAPE is one character";
        return Err(QueryError::new(ErrorCode::InvalidFunctionArgument, message).at(place));
    };
    if character == Some('\\') {
        return Ok(());
    }
    let Some(written) = literal(pattern) else {
        let text = "ESCAPE beside a pattern that is not a literal is not supported";
        let place = error::location(pattern.span().start);
        return Err(error::not_supported(text)
            .at(place)
            .hint("escape with a backslash: ESCAPE '\\'"));
    };
    *written = escaped(written, character).map_err(|error| error.at(place))?;
    escape.value = Value::SingleQuotedString("\\".to_owned());
    Ok(())
}

fn literal(pattern: &mut Expr) -> Option<&mut String> {
    match pattern {
        Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(text),
            ..
        }) => Some(text),
        Expr::Nested(inner) => literal(inner),
        _ => None,
    }
}

/// The same pattern with the backslash for its escape character.
fn escaped(pattern: &str, escape: Option<char>) -> Result<String, QueryError> {
    let mut written = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let is_escape = Some(character) == escape;
        let meant = match is_escape {
            false => character,
            true => {
                let next = characters
                    .next()
                    .filter(|next| matches!(next, '%' | '_') || Some(*next) == escape);
                next.ok_or_else(|| {
                    let message = "an escape character stands before '%', '_' or itself";
                    QueryError::new(ErrorCode::InvalidFunctionArgument, message)
                })?
            }
        };
        if meant == '\\' || (is_escape && matches!(meant, '%' | '_')) {
            written.push('\\');
        }
        written.push(meant);
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
