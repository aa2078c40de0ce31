//! Refuses joins whose sides are partitioned by different hands. An exchange deals rows to a task's partitions by ranges of hash
//! partitions, a repartition within the task by its own count: rows with one key would lie in different partitions, and not meet.

use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use mayfly_protocol::InputRead;
use std::sync::Arc;

use crate::node::shuffle_read::ShuffleReadExec;

/// Who decided in which partition a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dealer {
    Exchange,
    Repartition,
}

/// Checks one join; its inputs were checked before.
pub(super) fn check(plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
    let partitioned = plan
        .downcast_ref::<HashJoinExec>()
        .is_some_and(|join| *join.partition_mode() == PartitionMode::Partitioned);
    if !partitioned && !plan.is::<SortMergeJoinExec>() {
        return Ok(());
    }
    let children = plan.children();
    let dealers: Vec<Dealer> = children.iter().filter_map(|child| dealer(child)).collect();
    let several = children
        .iter()
        .any(|child| child.output_partitioning().partition_count() > 1);
    match dealers[..] {
        [left, right] if left != right && several => Err(DataFusionError::Plan(format!(
            "a {} pairs the partitions of an exchange with those of a repartition",
            plan.name()
        ))),
        _ => Ok(()),
    }
}

/// Down the side that keeps its rows in their partitions; `None` where that cannot be told.
fn dealer(plan: &Arc<dyn ExecutionPlan>) -> Option<Dealer> {
    if let Some(read) = plan.downcast_ref::<ShuffleReadExec>() {
        return (read.read == InputRead::Partitions).then_some(Dealer::Exchange);
    }
    if let Some(repartition) = plan.downcast_ref::<RepartitionExec>() {
        return matches!(repartition.partitioning(), Partitioning::Hash(..)).then_some(Dealer::Repartition);
    }
    match plan.children()[..] {
        [child] => dealer(child),
        // The probe side of a join keeps its partitions, and so does the build side unless it is collected.
        [_, probe] => dealer(probe),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
