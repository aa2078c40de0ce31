//! Nothing that is parsed is dropped: every field of every node of a query is planned, refused here by its name and place, or harmless
//! (a token, a way of writing the same). Nodes are taken apart without `..`, so that a field which a newer parser adds does not compile
//! until somebody decides. Types and the meaning of functions are judged where they are planned.

mod call;
mod expression;
mod query;
mod relation;
mod select;

use crate::error;
use datafusion::sql::sqlparser::ast::{Expr, Query, Select, TableFactor, Visit, Visitor};
use datafusion::sql::sqlparser::tokenizer::Span;
use mayfly_protocol::QueryError;
use std::ops::ControlFlow;

/// Refuses what nobody would look at.
pub(super) fn check(query: &Query) -> Result<(), QueryError> {
    match query.visit(&mut Guard) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Guard;

/// Each node looks at its own fields; the parser's visitor finds those within.
impl Visitor for Guard {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<QueryError> {
        flow(query::check(query))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<QueryError> {
        flow(select::check(select))
    }

    fn pre_visit_table_factor(&mut self, relation: &TableFactor) -> ControlFlow<QueryError> {
        flow(relation::check(relation))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<QueryError> {
        flow(expression::check(expr))
    }
}

fn flow(checked: Result<(), QueryError>) -> ControlFlow<QueryError> {
    checked.map_or_else(ControlFlow::Break, ControlFlow::Continue)
}

pub(super) fn refuse(what: &str, place: Span, hint: &str) -> Result<(), QueryError> {
    let error = error::not_supported(format!("{what} is not supported")).at(error::location(place.start));
    Err(match hint.is_empty() {
        true => error,
        false => error.hint(hint),
    })
}

/// Refuses a clause that stands there.
fn refuse_some<T>(
    clause: Option<&T>,
    what: &str,
    place: impl FnOnce(&T) -> Span,
    hint: &str,
) -> Result<(), QueryError> {
    clause.map_or(Ok(()), |clause| refuse(what, place(clause), hint))
}
