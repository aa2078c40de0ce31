//! Sorts where an order that a node needs is not to be seen any more.
//!
//! DataFusion decides where sorts are needed and goes on to change the plan: filters move, columns go, joins change sides. What was known of
//! an order then, such as that a column is constant, may not follow from what is left. Its last check would refuse the plan.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use mayfly_fragment::in_needed_orders;
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
        plan.transform_up(in_needed_orders).data()
    }

    fn name(&self) -> &'static str {
        "mayfly_orders"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
