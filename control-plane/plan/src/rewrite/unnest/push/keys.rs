//! What a subquery reads of its outer side: the sides of equalities that stand for the domain, whole, and columns elsewhere.

use super::super::scope::Scope;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, JoinType, LogicalPlan, Operator};

/// An equality of what only the outer side decides and what only the inner one does.
pub(super) struct Equality<'a> {
    pub outer: &'a Expr,
    pub inner: &'a Expr,
}

pub(super) fn of(subquery: &LogicalPlan, scope: Scope<'_>) -> Result<Vec<Expr>> {
    let mut keys: Vec<Expr> = Vec::new();
    subquery.apply(|node| {
        match conjuncts(node) {
            Some(conjuncts) => {
                for conjunct in &conjuncts {
                    of_conjunct(conjunct, scope, &mut keys)?;
                }
            }
            None => drop(node.apply_expressions(|expr| {
                of_expression(expr, scope, &mut keys);
                Ok(TreeNodeRecursion::Continue)
            })?),
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(keys)
}

/// The conjuncts that may bind keys.
fn conjuncts(node: &LogicalPlan) -> Option<Vec<Expr>> {
    match node {
        LogicalPlan::Filter(filter) => Some(super::conjuncts::of(filter.predicate.clone())),
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
            let filter = join.filter.clone().map(super::conjuncts::of).unwrap_or_default();
            let pairs = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
            Some(filter.into_iter().chain(pairs).collect())
        }
        _ => None,
    }
}

fn of_conjunct(conjunct: &Expr, scope: Scope<'_>, keys: &mut Vec<Expr>) -> Result<()> {
    match equality(conjunct, scope)? {
        Some(equality) => add(without_marks(equality.outer.clone(), scope)?, keys),
        None => of_expression(conjunct, scope, keys),
    }
    Ok(())
}

fn of_expression(expr: &Expr, scope: Scope<'_>, keys: &mut Vec<Expr>) {
    for column in scope.columns(expr) {
        add(Expr::Column(column), keys);
    }
}

fn add(key: Expr, keys: &mut Vec<Expr>) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

/// The conjunct as an equality that may stand for the domain. Not of floating point numbers: what equals there need not be the same.
pub(super) fn equality<'a>(conjunct: &'a Expr, scope: Scope<'_>) -> Result<Option<Equality<'a>>> {
    let Expr::BinaryExpr(BinaryExpr {
        left,
        op: Operator::Eq,
        right,
    }) = conjunct
    else {
        return Ok(None);
    };
    let (left, right) = (left.as_ref(), right.as_ref());
    let pairs = [(left, right), (right, left)];
    let fits = |(outer, inner): &(&Expr, &Expr)| scope.decides(outer) && is_inner(inner, scope);
    let Some((outer, inner)) = pairs.into_iter().find(fits) else {
        return Ok(None);
    };
    let outer_type = without_marks(outer.clone(), scope)?.get_type(scope.0)?;
    let is_exact = !matches!(
        outer_type,
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Null
    ) && !outer_type.is_nested();
    Ok(is_exact.then_some(Equality { outer, inner }))
}

fn is_inner(expr: &Expr, scope: Scope<'_>) -> bool {
    !scope.is_read_by(expr) && !expr.is_volatile() && !super::super::scope::is_subquery_within(expr)
}

/// References to outer columns as columns of the outer side.
pub(super) fn without_marks(expr: Expr, scope: Scope<'_>) -> Result<Expr> {
    let plain = expr.transform_up(|part| match part {
        Expr::OuterReferenceColumn(_, column) if scope.has(&column) => Ok(Transformed::yes(Expr::Column(column))),
        part => Ok(Transformed::no(part)),
    })?;
    Ok(plain.data)
}
