//! Which expressions are subqueries. Where subqueries may stand and what becomes of them is in `rewrite/unnest`.

use datafusion::logical_expr::{Expr, Subquery};

/// The subquery that an expression is, whatever is asked of its rows.
pub(crate) fn subquery(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery) => Some(subquery),
        Expr::InSubquery(part) => Some(&part.subquery),
        Expr::Exists(exists) => Some(&exists.subquery),
        Expr::SetComparison(comparison) => Some(&comparison.subquery),
        _ => None,
    }
}
