//! The plan nodes of ours. Each is an ordinary DataFusion [`ExecutionPlan`](datafusion::physical_plan::ExecutionPlan), so that
//! DataFusion's own optimizer rules and displays work on plans that hold them.

pub mod exchange;
pub mod fence;
pub mod no_rows;
pub mod shuffle_read;
pub mod shuffle_write;
pub mod split_scan;

use datafusion::common::{Result, internal_err};
use datafusion::physical_plan::ExecutionPlan;
use std::sync::Arc;

/// The one child of a node that must have one.
pub(crate) fn only_child(name: &str, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    match (children.pop(), children.is_empty()) {
        (Some(child), true) => Ok(child),
        _ => internal_err!("{name} has exactly one child"),
    }
}

/// Refuses children for a leaf.
fn no_child(name: &str, children: &[Arc<dyn ExecutionPlan>]) -> Result<()> {
    if children.is_empty() {
        Ok(())
    } else {
        internal_err!("{name} has no child")
    }
}
