//! `a IS DISTINCT FROM b AND c`: the parser takes all that follows for the right side, where SQL compares first.
//!
//! ```text
//! a IS DISTINCT FROM (b AND c)   →   (a IS DISTINCT FROM b) AND c     where no parentheses are written
//! ```

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Query, UnaryOperator, Value, VisitMut, VisitorMut};
use std::ops::ControlFlow;

pub(super) fn regroup(query: &mut Query) {
    // Nothing breaks off.
    let _ = query.visit(&mut Regroup);
}

struct Regroup;

impl VisitorMut for Regroup {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        regrouped(expr);
        ControlFlow::Continue(())
    }
}

/// What is written in parentheses is `Nested`: an operator right below one that binds closer was never meant so.
fn regrouped(expr: &mut Expr) {
    let loose = match expr {
        Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => right,
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => expr,
        Expr::BinaryOp {
            op: BinaryOperator::And,
            right,
            ..
        } if is(right, &BinaryOperator::Or) => right,
        _ => return,
    };
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::And | BinaryOperator::Or,
        ..
    } = loose.as_mut()
    else {
        return;
    };
    let closer = std::mem::replace(left.as_mut(), nothing());
    let mut whole = std::mem::replace(loose.as_mut(), closer);
    std::mem::swap(expr, &mut whole);
    if let Expr::BinaryOp { left, .. } = expr {
        regrouped(&mut whole);
        **left = whole;
    }
}

fn is(expr: &Expr, wanted: &BinaryOperator) -> bool {
    matches!(expr, Expr::BinaryOp { op, .. } if op == wanted)
}

fn nothing() -> Expr {
    Expr::value(Value::Null)
}

#[cfg(test)]
mod tests;
