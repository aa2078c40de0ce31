//! Sorts where an order that a node needs is not to be seen in its input any more. The planner asks for them behind the rules that change
//! plans, and an executor behind joins that it sorts and merges.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, ReplaceChildrenOptions,
};
use std::sync::Arc;

/// The node over inputs in the orders that it needs; of the nodes below it nothing is asked.
pub fn in_needed_orders(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let needed = node.required_input_ordering().into_iter();
    let mut sorted = false;
    let mut ordered = Vec::new();
    for (child, needed) in node.children().into_iter().zip(needed) {
        let order = needed.map(|needed| needed.into_single());
        let missing = match order {
            Some(order)
                if !child
                    .equivalence_properties()
                    .ordering_satisfy_requirement(order.clone())? =>
            {
                Some(LexOrdering::from(order))
            }
            _ => None,
        };
        sorted |= missing.is_some();
        ordered.push(missing.map_or_else(|| Arc::clone(child), |order| in_order(child, order)));
    }
    match sorted {
        false => Ok(Transformed::no(node)),
        true => {
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            node.replace_children(ordered, options).map(Transformed::yes)
        }
    }
}

/// Each partition by itself, which is all that nodes ask of their input.
fn in_order(child: &Arc<dyn ExecutionPlan>, order: LexOrdering) -> Arc<dyn ExecutionPlan> {
    Arc::new(SortExec::new(order, Arc::clone(child)).with_preserve_partitioning(true))
}

#[cfg(test)]
mod tests;
