//! Sorts where an order that a node needs is not to be seen any more.
//!
//! DataFusion decides where sorts are needed and goes on to change the plan: filters move, columns go, joins change sides. What was known of
//! an order then, such as that a column is constant, may not follow from what is left. Its last check would refuse the plan.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, ReplaceChildrenOptions,
};
use std::sync::Arc;

/// Runs behind all rules that change plans.
#[derive(Debug)]
pub(crate) struct Orders;

impl Orders {
    /// DataFusion's check.
    pub(crate) const BEFORE: &str = "SanityCheckPlan";
}

impl PhysicalOptimizerRule for Orders {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let children: Vec<_> = node.children().into_iter().cloned().collect();
            let needed = node.required_input_ordering().into_iter();
            let mut sorted = false;
            let mut ordered = Vec::new();
            for (child, needed) in children.into_iter().zip(needed) {
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
                ordered.push(missing.map_or(Arc::clone(&child), |order| in_order(child, order)));
            }
            match sorted {
                false => Ok(Transformed::no(node)),
                true => {
                    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
                    node.replace_children(ordered, options).map(Transformed::yes)
                }
            }
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "mayfly_orders"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Each partition by itself, which is all that nodes ask of their input.
fn in_order(child: Arc<dyn ExecutionPlan>, order: LexOrdering) -> Arc<dyn ExecutionPlan> {
    Arc::new(SortExec::new(order, child).with_preserve_partitioning(true))
}
