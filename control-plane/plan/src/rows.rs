//! Answers without executors: plans that read no table row run here, within bounds. What is beyond them is an executor's.

use crate::growing::TooLarge;
use crate::{context, error};
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt as _;
use mayfly_fragment::SplitScanExec;
use mayfly_protocol::{ErrorCode, QueryError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Time that a plan may take here.
const DURATION_MAX: Duration = Duration::from_secs(1);

/// Rows and bytes that an answer may have here: the server keeps them until they are read.
const ROWS_MAX: usize = 1_000_000;
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Operators that make rows without end, or too many, out of nothing: for executors.
const MAKE_ROWS: [&str; 4] = [
    "RecursiveQueryExec",
    "WorkTableExec",
    "LazyMemoryExec",
    "StreamingTableExec",
];

/// What became of a plan here.
pub(crate) enum Answer {
    Rows(Vec<RecordBatch>),
    /// It takes more than there is here. Why, where no executor can run it either.
    TooMuch(QueryError),
}

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
pub(crate) async fn answer(plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Result<Answer, QueryError> {
    let deadline = Instant::now() + DURATION_MAX;
    let mut answer = Gathered::default();
    let mut rows = match execute_stream(plan, context::task_context(state)) {
        Ok(rows) => rows,
        Err(cause) => return failed(cause),
    };
    loop {
        match timeout_at(deadline, rows.next()).await {
            Err(_) => return Ok(too_much(format!("takes longer than {DURATION_MAX:?}"))),
            Ok(None) => return Ok(Answer::Rows(answer.batches)),
            Ok(Some(Err(cause))) => return failed(cause),
            Ok(Some(Ok(batch))) => answer.add(batch),
        }
        if let Some(how) = answer.beyond() {
            return Ok(too_much(how));
        }
    }
}

/// The rows so far.
#[derive(Default)]
struct Gathered {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Gathered {
    fn add(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows();
        self.bytes += batch.get_array_memory_size();
        self.batches.push(batch);
    }

    fn beyond(&self) -> Option<String> {
        match (self.rows > ROWS_MAX, self.bytes > BYTES_MAX) {
            (true, _) => Some(format!("yields more than {ROWS_MAX} rows")),
            (_, true) => Some(format!("yields more than {BYTES_MAX} bytes")),
            _ => None,
        }
    }
}

fn too_much(how: String) -> Answer {
    let message = format!("the query reads no table and {how}, and it cannot be sent to an executor");
    Answer::TooMuch(QueryError::new(ErrorCode::TooComplex, message))
}

fn failed(cause: DataFusionError) -> Result<Answer, QueryError> {
    match is_for_executors(&cause) {
        true => Ok(too_much(format!("needs more than the control plane has: {cause}"))),
        false => Err(of_values(cause)),
    }
}

/// Nothing is read here but what the statement says: an error of a function is its user's, such as a regular expression that is none.
fn of_values(cause: DataFusionError) -> QueryError {
    let is_ours = matches!(cause.find_root(), DataFusionError::Internal(_));
    let error = error::from_datafusion(cause);
    match error.code {
        ErrorCode::GenericInternalError if !is_ours => QueryError {
            code: ErrorCode::InvalidFunctionArgument,
            ..error
        },
        _ => error,
    }
}

/// Whether memory ran short, or a function refused a result that is too large for here.
fn is_for_executors(cause: &DataFusionError) -> bool {
    match cause.find_root() {
        DataFusionError::ResourcesExhausted(_) => true,
        DataFusionError::External(cause) => cause.is::<TooLarge>(),
        _ => false,
    }
}
