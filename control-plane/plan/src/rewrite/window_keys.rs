//! A fence below window functions that part rows by expressions over columns of which another column is known to be the same.
//!
//! ```text
//! BoundedWindowAggExec: PARTITION BY f(b)      BoundedWindowAggExec: PARTITION BY f(b)
//!   SortExec: f(a)                         →     SortExec: f(b)
//!     ProjectionExec: x AS a, x AS b               FenceExec
//!                                                    ProjectionExec: x AS a, x AS b
//! ```
//!
//! DataFusion sorts by the one and does not find the other in this order when it runs; see [`FenceExec`].

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, PhysicalExpr, ReplaceChildrenOptions, WindowExpr,
};
use mayfly_fragment::FenceExec;
use std::sync::Arc;

/// Runs before orders are made.
#[derive(Debug)]
pub(crate) struct WindowKeys;

impl PhysicalOptimizerRule for WindowKeys {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let [input] = node.children()[..] else {
                return Ok(Transformed::no(node));
            };
            let is_open = window(&node).is_some_and(|functions| keys(functions).any(|key| has_equals(key, input)));
            if !is_open || input.is::<FenceExec>() {
                return Ok(Transformed::no(node));
            }
            let fenced = Arc::new(FenceExec::new(Arc::clone(input)));
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            node.replace_children(vec![fenced], options).map(Transformed::yes)
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "mayfly_window_keys"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn window(node: &Arc<dyn ExecutionPlan>) -> Option<&[Arc<dyn WindowExpr>]> {
    let bounded = node.downcast_ref::<BoundedWindowAggExec>();
    let bounded = bounded.map(BoundedWindowAggExec::window_expr);
    bounded.or_else(|| node.downcast_ref::<WindowAggExec>().map(WindowAggExec::window_expr))
}

fn keys(functions: &[Arc<dyn WindowExpr>]) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
    functions.iter().flat_map(|function| function.partition_by())
}

/// Whether a key that is computed reads a column that has equals.
fn has_equals(key: &Arc<dyn PhysicalExpr>, input: &Arc<dyn ExecutionPlan>) -> bool {
    let equals = input.equivalence_properties().eq_group();
    !key.is::<Column>()
        && collect_columns(key).into_iter().any(|column| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(column);
            equals
                .get_equivalence_class(&column)
                .is_some_and(|class| class.len() > 1)
        })
}
