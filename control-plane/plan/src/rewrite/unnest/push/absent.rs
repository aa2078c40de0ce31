//! The row that an aggregation without groups has where there is no input, and what is computed of it.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, lit};

/// The expression with what its columns are in the absent row.
pub(super) fn replaced(expr: Expr, absent: &[(Column, Expr)]) -> Result<Expr> {
    let value = |column: &Column| absent.iter().find(|(own, _)| own == column).map(|(_, value)| value);
    let replaced = expr.unalias().transform_up(|part| match &part {
        Expr::Column(column) => Ok(match value(column) {
            Some(value) => Transformed::yes(value.clone()),
            None => Transformed::no(part),
        }),
        _ if is_null_of_null(&part) => null_like(part),
        _ => Ok(Transformed::no(part)),
    })?;
    Ok(replaced.data)
}

/// Arithmetic on NULL and its casts. A join that only such a row would keep may become an inner one.
fn is_null_of_null(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            op.is_numerical_operators() && (is_null(left) || is_null(right))
        }
        Expr::Cast(cast) => is_null(&cast.expr),
        Expr::Negative(inner) => is_null(inner),
        _ => false,
    }
}

pub(super) fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(value, _) if value.is_null())
}

fn null_like(expr: Expr) -> Result<Transformed<Expr>> {
    // What reads columns has no type here, and stays.
    match expr.get_type(&DFSchema::empty()) {
        Ok(data_type) => Ok(Transformed::yes(lit(ScalarValue::try_new_null(&data_type)?))),
        Err(_) => Ok(Transformed::no(expr)),
    }
}
