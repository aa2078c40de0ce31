//! The first rows in an order by lists, structs or maps are cut off a whole sort. DataFusion's top-n leaves out rows by comparing them with
//! the last that it holds, and a comparison of nested values that hold NULL is NULL: it would lose them.
//!
//! ```text
//! SortExec: TopK(fetch=3)      LocalLimitExec(3), GlobalLimitExec(3) of one partition
//!                         →      SortExec
//! ```

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::sorts::sort::SortExec;
use std::sync::Arc;

/// Runs last: DataFusion's rules would push the limit into the sort again.
#[derive(Debug)]
pub(crate) struct NestedTop;

impl PhysicalOptimizerRule for NestedTop {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match node.downcast_ref::<SortExec>().map(limited) {
            Some(Some(limited)) => Ok(Transformed::yes(limited)),
            _ => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "nested_top"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The sort without its limit, and the limit above it.
fn limited(sort: &SortExec) -> Option<Arc<dyn ExecutionPlan>> {
    let rows = sort.fetch()?;
    let schema = sort.input().schema();
    let is_nested = |data_type: datafusion::arrow::datatypes::DataType| data_type.is_nested();
    let mut types = sort.expr().iter().map(|key| key.expr.data_type(&schema));
    if !types.any(|data_type| data_type.is_ok_and(is_nested)) {
        return None;
    }
    let whole: Arc<dyn ExecutionPlan> = Arc::new(sort.with_fetch(None));
    Some(match sort.preserve_partitioning() {
        true => Arc::new(LocalLimitExec::new(whole, rows)),
        false => Arc::new(GlobalLimitExec::new(whole, 0, Some(rows))),
    })
}
