//! Row groups in the order of the top-k above their scan: the best come first, and by them it can tell that the others need not be read.
//! Against the order of the file each row group would be read, and each would beat the last.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions, SortOrderPushdownResult,
};
use std::sync::Arc;

/// The plan, its scans below a top-k reading in the order of their row groups' statistics. The top-k itself stays.
pub fn ordered(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let ordered = plan.transform_up(|node| {
        let Some(sort) = node.downcast_ref::<SortExec>().filter(|sort| sort.fetch().is_some()) else {
            return Ok(Transformed::no(node));
        };
        match below(sort.input(), sort.expr())? {
            Some(input) => Ok(Transformed::yes(over(&node, input)?)),
            None => Ok(Transformed::no(node)),
        }
    });
    ordered.data()
}

/// The input, read so; none where it cannot.
fn below(plan: &Arc<dyn ExecutionPlan>, order: &[PhysicalSortExpr]) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        if filter.projection().is_some() {
            return Ok(None);
        }
        let input = below(filter.input(), order)?;
        return input.map(|input| over(plan, input)).transpose();
    }
    Ok(match plan.try_pushdown_sort(order)? {
        SortOrderPushdownResult::Inexact { inner } => Some(inner),
        // No scan of ours promises an order.
        SortOrderPushdownResult::Exact { .. } | SortOrderPushdownResult::Unsupported => None,
    })
}

fn over(plan: &Arc<dyn ExecutionPlan>, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(plan).replace_children(vec![input], options)
}
