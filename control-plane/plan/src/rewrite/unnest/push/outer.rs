//! The outer side is read a second time for the domain. The domain may hold more keys than the outer side, never fewer: what may turn out
//! otherwise the second time is left out where that only adds rows, and refused where it does not.

use super::super::scope;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, not_impl_err};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, JoinType, LogicalPlan};
use mayfly_fragment::SingleRow;
use std::sync::Arc;

const UNREPEATABLE: &str = "a subquery that reads columns of a relation with random() inside, or with a LIMIT without ORDER BY of columns that have no order, is not supported";

/// What is asked of a plan that is run once more.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Need {
    /// Its rows, and maybe others.
    Superset,
    /// Its rows and no others.
    Same,
}

/// A plan that holds the rows of this one, however often it is run.
pub(in super::super) fn repeatable(plan: LogicalPlan, need: Need) -> Result<LogicalPlan> {
    let more = match need {
        Need::Superset => more(plan)?,
        Need::Same => plan,
    };
    match is_repeatable(&more)? {
        true => Ok(more),
        false => not_impl_err!("{UNREPEATABLE}"),
    }
}

/// Whether [`repeatable`] refused the plan.
pub(in super::super) fn is_unrepeatable(error: &DataFusionError) -> bool {
    matches!(error, DataFusionError::NotImplemented(message) if message.starts_with(UNREPEATABLE))
}

fn more(plan: LogicalPlan) -> Result<LogicalPlan> {
    let without = |node: Arc<LogicalPlan>| {
        let more = more(Arc::unwrap_or_clone(node))?;
        Ok(Transformed::new(more, true, TreeNodeRecursion::Jump))
    };
    let more = plan.transform_down(|node| match node {
        LogicalPlan::Limit(limit) => without(limit.input),
        LogicalPlan::Filter(filter) if is_random(&filter.predicate) => without(filter.input),
        node if keeps_more(&node) => Ok(Transformed::no(node)),
        node => Ok(Transformed::new(node, false, TreeNodeRecursion::Jump)),
    })?;
    Ok(more.data)
}

/// More rows below are more rows above.
fn keeps_more(node: &LogicalPlan) -> bool {
    match node {
        LogicalPlan::Join(join) => join.join_type == JoinType::Inner,
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => !scope::node_has_subqueries(node).unwrap_or(true),
        _ => false,
    }
}

fn is_repeatable(plan: &LogicalPlan) -> Result<bool> {
    let mut fixed = !has_random(plan)?;
    match plan {
        LogicalPlan::Limit(limit) => fixed &= has_order(&limit.input),
        LogicalPlan::Projection(projection) if !projection.expr.iter().any(Expr::any_column_refs) => {
            return Ok(fixed && has_as_many(&projection.input)?);
        }
        LogicalPlan::Aggregate(aggregate) if counts(aggregate) => {
            return Ok(fixed && has_as_many(&aggregate.input)?);
        }
        _ => {}
    }
    for input in plan.inputs() {
        fixed = fixed && is_repeatable(input)?;
    }
    Ok(fixed)
}

/// Of all rows, and of nothing that they hold.
fn counts(aggregate: &Aggregate) -> bool {
    aggregate.group_expr.is_empty() && !aggregate.aggr_expr.iter().any(Expr::any_column_refs)
}

/// Whether it has as many rows however often it is run, whichever they are.
fn has_as_many(plan: &LogicalPlan) -> Result<bool> {
    match plan {
        LogicalPlan::Limit(limit) => has_as_many(&limit.input),
        LogicalPlan::Sort(sort) => has_as_many(&sort.input),
        LogicalPlan::Projection(projection) => has_as_many(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => has_as_many(&alias.input),
        plan => is_repeatable(plan),
    }
}

fn has_random(node: &LogicalPlan) -> Result<bool> {
    let mut random = false;
    node.apply_expressions(|expr| {
        random |= is_random(expr);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(random)
}

pub(in super::super) fn has_order(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        // All rows are the same.
        LogicalPlan::Projection(projection) if projection.expr.iter().all(|expr| !expr.any_column_refs()) => true,
        LogicalPlan::Projection(projection) => has_order(&projection.input),
        plan => plan.max_rows().is_some_and(|rows| rows <= 1),
    }
}

fn is_random(expr: &Expr) -> bool {
    let random = |part: &Expr| match part {
        Expr::ScalarFunction(call) => {
            part.is_volatile_node() && call.func.inner().downcast_ref::<SingleRow>().is_none()
        }
        _ => false,
    };
    expr.exists(|part| Ok(random(part)))
        .expect("the visitor returns no error")
}
