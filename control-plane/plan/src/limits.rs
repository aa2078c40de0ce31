//! What a session allows a query to take, checked when it is planned and before anything is spent. Time and rows show while it runs: see
//! `schedule`.

use crate::property::Properties;
use crate::quantity::size;
use crate::stage::cut::CutStage;
use arrow::record_batch::RecordBatch;
use mayfly_protocol::{ErrorCode, QueryError};

/// Refuses the stages if they take more than the session allows.
pub(crate) fn check(properties: &Properties, stages: &[CutStage]) -> Result<(), QueryError> {
    let bytes: u64 = stages.iter().flat_map(|cut| &cut.scans).map(|scan| scan.bytes).sum();
    let tasks: u64 = stages.iter().map(|cut| cut.stage.tasks.len() as u64).sum();
    let refuse = |code, property: &str, needed: String, most: String| {
        let message = format!("the query {needed}, more than the {most} that {property} allows");
        let hint = format!("select less, or raise the session property {property}");
        Err(QueryError::new(code, message).hint(hint))
    };
    if let Some(most) = properties.max_scan_bytes.filter(|most| bytes > *most) {
        let (needed, most) = (format!("would read {}", size(bytes)), size(most));
        return refuse(ErrorCode::ExceededScanLimit, "max_scan_bytes", needed, most);
    }
    let count = stages.len() as u64;
    if let Some(most) = properties.max_stages.filter(|most| count > *most) {
        let needed = format!("takes {count} stages");
        return refuse(ErrorCode::QueryHasTooManyStages, "max_stages", needed, most.to_string());
    }
    if let Some(most) = properties.max_tasks.filter(|most| tasks > *most) {
        let needed = format!("takes {tasks} tasks");
        return refuse(ErrorCode::TooManyTasks, "max_tasks", needed, most.to_string());
    }
    Ok(())
}

/// Refuses rows that are known already if there are more than the session allows.
pub(crate) fn check_rows(properties: &Properties, batches: &[RecordBatch]) -> Result<(), QueryError> {
    let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    match properties.max_result_rows.filter(|most| rows > *most) {
        Some(most) => Err(QueryError::new(
            ErrorCode::ExceededRowLimit,
            format!("the result has more than {most} rows"),
        )
        .hint("add a LIMIT, or raise the session property max_result_rows")),
        None => Ok(()),
    }
}
