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
    // The others are a window's: it may be planned for an order without its partition keys, but this one is planned already.
    let Some(first) = alternatives.into_iter().next() else {
        return Ok(child);
    };
    let properties = child.equivalence_properties();
    if properties.ordering_satisfy_requirement(first.clone())? {
        return Ok(child);
    }
    let sort = SortExec::new(LexOrdering::from(first), child);
    Ok(Arc::new(sort.with_preserve_partitioning(true)))
}
