//! An order of joins as a logical plan that yields the same columns as before.

use super::graph::{Equality, Graph, Inputs, Tree, bit};
use datafusion::common::{DFSchemaRef, JoinType, NullEquality, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Filter, Join, JoinConstraint, LogicalPlan, Projection};
use std::sync::Arc;

/// The plan of that order, under the schema of the joins as written.
pub(super) fn plan(graph: &Graph, tree: &Tree, schema: &DFSchemaRef) -> Result<LogicalPlan> {
    let (joined, _) = joined(graph, tree)?;
    if joined.schema() == schema {
        return Ok(joined);
    }
    let projection = Projection::new_from_schema(Arc::new(joined), schema.clone());
    Ok(LogicalPlan::Projection(projection))
}

fn joined(graph: &Graph, tree: &Tree) -> Result<(LogicalPlan, Inputs)> {
    match tree {
        Tree::Input(at) => Ok((input(graph, *at)?, bit(*at))),
        Tree::Join(left, right) => {
            let (left, of_left) = joined(graph, left)?;
            let (right, of_right) = joined(graph, right)?;
            let keys = |(one, other): Equality<'_>| (one.expr.clone(), other.expr.clone());
            let equalities = graph.equalities(of_left, of_right).into_iter().map(keys);
            let join = Join::try_new(
                Arc::new(left),
                Arc::new(right),
                equalities.collect(),
                conjunction(graph.decided(of_left, of_right).cloned()),
                JoinType::Inner,
                JoinConstraint::On,
                NullEquality::NullEqualsNothing,
                false,
            )?;
            Ok((LogicalPlan::Join(join), of_left | of_right))
        }
    }
}

fn input(graph: &Graph, at: usize) -> Result<LogicalPlan> {
    let plan = graph.inputs[at].clone();
    let own = graph.conditions.iter().filter(|condition| condition.inputs == bit(at));
    let own: Vec<Expr> = own.map(|condition| condition.expr.clone()).collect();
    match conjunction(own) {
        Some(condition) => Ok(LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?)),
        None => Ok(plan),
    }
}
