//! A fence below each aggregation by several grouping sets, so that nothing is concluded about its keys from columns that they are not
//! any more; see [`FenceExec`].
//!
//! ```text
//! AggregateExec: gby=[(NULL, x), (g, x)]      AggregateExec: gby=[(NULL, x), (g, x)]
//!   FilterExec: g = 1                     →     FenceExec
//!                                                 FilterExec: g = 1
//! ```

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};
use mayfly_fragment::FenceExec;
use std::sync::Arc;

/// Runs first: every other rule would rely on what the fence hides.
#[derive(Debug)]
pub(crate) struct GroupingSets;

impl PhysicalOptimizerRule for GroupingSets {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match node.downcast_ref::<AggregateExec>() {
            Some(aggregate) if is_open(aggregate) => {
                let fenced = Arc::new(FenceExec::new(Arc::clone(aggregate.input())));
                let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
                node.replace_children(vec![fenced], options).map(Transformed::yes)
            }
            _ => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "grouping_sets"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn is_open(aggregate: &AggregateExec) -> bool {
    aggregate.group_expr().has_grouping_set() && !aggregate.input().is::<FenceExec>()
}
