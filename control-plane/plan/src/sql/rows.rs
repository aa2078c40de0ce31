//! Rows that are compared: `(a, b)` is a row, and so is what a subquery of several columns gives there. DataFusion knows neither.
//!
//! ```text
//! (a, b) IN (SELECT x, y …)   →   ROW(a, b) IN (SELECT ROW(x, y) FROM (SELECT x, y …))
//! (a, b) = (SELECT x, y …)    →   ROW(a, b) = (SELECT ROW(x, y) FROM (SELECT x, y …))
//! ```

use super::syntax;
use super::template;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArguments, Ident, Query, Select, SelectItem, SetExpr,
    TableAlias, TableAliasColumnDef, TableFactor, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

pub(super) fn write_out(query: &mut Query) {
    // Nothing breaks off.
    let _ = query.visit(&mut Rows);
}

struct Rows;

impl VisitorMut for Rows {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::InSubquery { expr, subquery, .. } => beside_query(expr, subquery),
            Expr::InList { expr, list, .. } => {
                if let Some(width) = list.iter().find_map(width).or_else(|| width(expr)) {
                    list.iter_mut().for_each(|row| as_row(row, width));
                    as_row(expr, width);
                }
            }
            Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
                if let Expr::Subquery(query) = right.as_mut() {
                    beside_query(left, query);
                }
            }
            Expr::BinaryOp { left, op, right } if compares(op) => both(left, right),
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => both(left, right),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

fn both(left: &mut Expr, right: &mut Expr) {
    if let Some(width) = width(left).or_else(|| width(right)) {
        as_row(left, width);
        as_row(right, width);
    }
}

fn beside_query(expr: &mut Expr, query: &mut Query) {
    let width = width(expr).or_else(|| columns(&query.body).filter(|columns| *columns > 1));
    if let Some(width) = width {
        as_row(expr, width);
        of_rows(query, width);
    }
}

/// How many fields the text says that this row has.
fn width(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Nested(inner) => width(inner),
        Expr::Tuple(fields) => Some(fields.len()),
        Expr::Function(function) => Some(arguments(function)?.len()),
        Expr::Subquery(query) => columns(&query.body).filter(|columns| *columns > 1),
        _ => None,
    }
    .filter(|width| *width > 0)
}

/// Of `ROW(…)`.
fn arguments(function: &Function) -> Option<&Vec<FunctionArg>> {
    let is_row = matches!(function.name.to_string().to_lowercase().as_str(), "row" | "struct");
    match &function.args {
        FunctionArguments::List(list) if is_row => Some(&list.args),
        _ => None,
    }
}

/// How many columns a query has. `None`: only the tables tell.
fn columns(body: &SetExpr) -> Option<usize> {
    match body {
        SetExpr::Select(select) => {
            let is_one =
                |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
            let Select { projection, .. } = select.as_ref();
            projection.iter().all(is_one).then_some(projection.len())
        }
        SetExpr::Query(query) => columns(&query.body),
        SetExpr::SetOperation { left, .. } => columns(left),
        SetExpr::Values(values) => values.rows.first().map(|row| row.content.len()),
        _ => None,
    }
}

/// A row of fields that are written out, or of a subquery's columns; others are rows already.
fn as_row(expr: &mut Expr, width: usize) {
    match expr {
        Expr::Nested(inner) => as_row(inner, width),
        Expr::Tuple(fields) => *expr = syntax::call("row", std::mem::take(fields)),
        Expr::Subquery(query) => of_rows(query, width),
        _ => {}
    }
}

/// A query of one column has rows in it already.
fn of_rows(query: &mut Query, width: usize) {
    if columns(&query.body) == Some(1) {
        return;
    }
    let names: Vec<String> = (0..width).map(|at| format!("__field_{at}")).collect();
    let column = |name: &String| TableAliasColumnDef::from_name(name.clone());
    let rows = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query.clone()),
        alias: Some(TableAlias {
            explicit: true,
            name: Ident::with_quote('"', "__row"),
            columns: names.iter().map(column).collect(),
            at: None,
        }),
        sample: None,
    };
    let fields: Vec<String> = names.iter().map(|name| format!("\"__row\".\"{name}\"")).collect();
    let sql = format!("SELECT row({}) FROM t", fields.join(", "));
    if let Some(written) = template::over(&sql, rows) {
        *query = written;
    }
}
