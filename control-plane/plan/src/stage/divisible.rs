//! Which inputs of a stage may be divided among tasks, partition by partition, while each task reads the stage's other inputs whole.
//!
//! A hot key's partition is more than one task should have. Where every operator between the input and the stage's output treats rows
//! one by one, or only begins an aggregation that a later stage ends, several tasks may have a part of it each:
//!
//! ```text
//! ShuffleWrite
//!   Aggregate(Partial)
//!     HashJoin(Inner, Partitioned)
//!       ShuffleRead 0     build side: each of those tasks reads it whole
//!       ShuffleRead 1     probe side: may be divided
//! ```

use crate::rewrite::join::build_may_be_everywhere;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::joins::HashJoinExec;
use mayfly_fragment::ShuffleReadExec;
use mayfly_protocol::InputRead;
use std::sync::Arc;

/// Operators of one input that need not see all rows of a key together.
const ROW_BY_ROW: [&str; 10] = [
    "CoalesceBatchesExec",
    "CoalescePartitionsExec",
    "FenceExec",
    "FilterExec",
    "LocalLimitExec",
    "ProjectionExec",
    "ShuffleWriteExec",
    "SortExec",
    "SortPreservingMergeExec",
    "UnnestExec",
];

/// Ordinals of the stage's divisible inputs.
pub(crate) fn inputs(plan: &Arc<dyn ExecutionPlan>) -> Vec<u32> {
    if let Some(read) = plan.downcast_ref::<ShuffleReadExec>() {
        return Vec::from_iter((read.read == InputRead::Partitions).then_some(read.input));
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return of_join(join);
    }
    match plan.children()[..] {
        [child] if is_row_by_row(plan) => inputs(child),
        _ => Vec::new(),
    }
}

/// Whether the operator need not see all rows of a key together.
pub(super) fn is_row_by_row(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let begins = |aggregate: &AggregateExec| *aggregate.mode() == AggregateMode::Partial;
    ROW_BY_ROW.contains(&plan.name()) || plan.downcast_ref::<AggregateExec>().is_some_and(begins)
}

/// Each side for which the join is right when tasks hold a part of it and the whole of the other.
fn of_join(join: &HashJoinExec) -> Vec<u32> {
    if join.null_aware {
        return Vec::new();
    }
    let mut divisible = Vec::new();
    if build_may_be_everywhere(*join.join_type()) {
        divisible.extend(inputs(join.right()));
    }
    if build_may_be_everywhere(join.join_type().swap()) {
        divisible.extend(inputs(join.left()));
    }
    divisible
}

#[cfg(test)]
mod tests;
