//! A fence below each outer join, on a side whose columns become NULL, if a column is constant there.
//!
//! ```text
//! SELECT v.id, q.flag FROM v LEFT JOIN (SELECT id, 1 AS flag FROM y) AS q ON q.id = v.id ORDER BY flag
//! ```
//!
//! DataFusion takes `flag` for constant above the join and sorts by nothing; see [`FenceExec`].

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, ReplaceChildrenOptions,
};
use mayfly_fragment::FenceExec;
use std::sync::Arc;

/// Runs before it is decided where sorts are needed, and behind what moves filters and changes sides.
#[derive(Debug)]
pub(crate) struct Padded;

impl PhysicalOptimizerRule for Padded {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let padded = join_type(&node).map_or([false, false], sides);
            let children = node.children().into_iter().zip(padded);
            let fenced: Vec<_> = children
                .map(|(child, padded)| (Arc::clone(child), padded && has_constants(child)))
                .collect();
            if !fenced.iter().any(|(_, padded)| *padded) {
                return Ok(Transformed::no(node));
            }
            let fence = |(child, padded)| match padded {
                true => Arc::new(FenceExec::of_constants(child)) as Arc<dyn ExecutionPlan>,
                false => child,
            };
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            let children = fenced.into_iter().map(fence).collect();
            node.replace_children(children, options).map(Transformed::yes)
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "mayfly_padded"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn join_type(node: &Arc<dyn ExecutionPlan>) -> Option<JoinType> {
    let hash = node.downcast_ref::<HashJoinExec>().map(|join| *join.join_type());
    let loops = || node.downcast_ref::<NestedLoopJoinExec>().map(|join| *join.join_type());
    let merge = || {
        node.downcast_ref::<SortMergeJoinExec>()
            .map(SortMergeJoinExec::join_type)
    };
    hash.or_else(loops).or_else(merge)
}

/// Whether the left and the right side's columns may become NULL.
fn sides(join_type: JoinType) -> [bool; 2] {
    match join_type {
        JoinType::Left => [false, true],
        JoinType::Right => [true, false],
        JoinType::Full => [true, true],
        _ => [false, false],
    }
}

fn has_constants(child: &Arc<dyn ExecutionPlan>) -> bool {
    !child.equivalence_properties().constants().is_empty()
}
