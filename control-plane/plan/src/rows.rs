//! Answers without executors: plans that read no table row run here, within bounds.

use crate::{context, error};
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, collect};
use mayfly_fragment::SplitScanExec;
use mayfly_protocol::{ErrorCode, QueryError};
use std::sync::Arc;
use std::time::Duration;

/// Time that a plan may take here.
const DURATION_MAX: Duration = Duration::from_secs(10);

/// Rows that an answer may have here.
const ROWS_MAX: usize = 1_000_000;

/// Operators that make rows without end, or too many, out of nothing: for executors.
const MAKE_ROWS: [&str; 4] = [
    "RecursiveQueryExec",
    "WorkTableExec",
    "LazyMemoryExec",
    "StreamingTableExec",
];

/// Whether the plan yields rows without a table that are too many to be made here.
pub(crate) fn makes_rows(plan: &Arc<dyn ExecutionPlan>) -> bool {
    MAKE_ROWS.contains(&plan.name()) || plan.children().into_iter().any(makes_rows)
}

/// The plan with nothing in place of its scans, which have nothing to read.
pub(crate) fn without_scans(plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(scan) = plan.downcast_ref::<SplitScanExec>() {
        return Ok(Arc::new(
            EmptyExec::new(scan.schema()).with_partitions(scan.partitions()),
        ));
    }
    let children = plan.children().into_iter().map(without_scans);
    crate::stage::with_children(plan, children.collect::<Result<_>>()?)
}

/// Runs the plan here.
pub(crate) async fn answer(plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Result<Vec<RecordBatch>, QueryError> {
    let rows = collect(plan, context::task_context(state));
    let Ok(batches) = tokio::time::timeout(DURATION_MAX, rows).await else {
        let message = format!("the query took longer than {DURATION_MAX:?} without reading a table");
        return Err(QueryError::new(ErrorCode::ExceededTimeLimit, message));
    };
    let batches = batches.map_err(error::from_datafusion)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows > ROWS_MAX {
        let message = format!("the query yields {rows} rows without reading a table, more than {ROWS_MAX}");
        return Err(QueryError::new(ErrorCode::TooComplex, message));
    }
    Ok(batches)
}
