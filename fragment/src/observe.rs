//! What a stage's operators say of themselves after a run: for people and for later decisions, never for answers.

use crate::bind::TextScanExec;
use crate::node::shuffle_read::ShuffleReadExec;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;

/// Sums over a plan's operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Rows that scans yielded, after pruning and pushed-down filters.
    pub rows_scanned: u64,
    /// Rows that came through exchanges.
    pub rows_read: u64,
    /// Bytes that operators spilled.
    pub spilled_bytes: u64,
}

/// Reads the metrics of a plan that was executed.
pub fn observe(plan: &dyn ExecutionPlan) -> Observed {
    let mut observed = Observed::default();
    add(plan, &mut observed);
    observed
}

fn add(plan: &dyn ExecutionPlan, observed: &mut Observed) {
    if let Some(metrics) = plan.metrics() {
        let rows = metrics.output_rows().unwrap_or_default() as u64;
        if plan.downcast_ref::<DataSourceExec>().is_some() || plan.downcast_ref::<TextScanExec>().is_some() {
            observed.rows_scanned += rows;
        } else if plan.downcast_ref::<ShuffleReadExec>().is_some() {
            observed.rows_read += rows;
        }
        observed.spilled_bytes += metrics.spilled_bytes().unwrap_or_default() as u64;
    }
    plan.children()
        .into_iter()
        .for_each(|child| add(child.as_ref(), observed));
}
