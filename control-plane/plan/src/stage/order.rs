//! Sorts anew where an exchange undid an order that an operator above relies on.
//!
//! In one process a hash repartition of one sorted partition keeps its order, and DataFusion plans no second sort. Across tasks the
//! order is gone: a reader gets several exchange partitions one after another.

use super::draft::with_children;
use datafusion::common::Result;
use datafusion::physical_expr::{LexOrdering, OrderingRequirements};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use std::sync::Arc;

/// The plan with every stated input order met.
pub(super) fn restore(plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let children = plan.children().into_iter().map(restore);
    let children: Vec<_> = children.collect::<Result<_>>()?;
    let required = plan.required_input_ordering();
    let sorted = children
        .into_iter()
        .zip(required)
        .map(|(child, required)| meet(child, required));
    with_children(plan, sorted.collect::<Result<_>>()?)
}

fn meet(child: Arc<dyn ExecutionPlan>, required: Option<OrderingRequirements>) -> Result<Arc<dyn ExecutionPlan>> {
    // A soft requirement is a wish: the operator does without.
    let Some(OrderingRequirements::Hard(alternatives)) = required else {
        return Ok(child);
    };
    for alternative in &alternatives {
        if child
            .equivalence_properties()
            .ordering_satisfy_requirement(alternative.clone())?
        {
            return Ok(child);
        }
    }
    let first = alternatives.into_iter().next().map(LexOrdering::from);
    Ok(match first {
        Some(ordering) => Arc::new(SortExec::new(ordering, child).with_preserve_partitioning(true)),
        None => child,
    })
}
