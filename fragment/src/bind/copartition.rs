//! Who dealt the rows of a join to its partitions: an exchange, by ranges of hash partitions, or a repartition within the task, by
//! `hash % n`. Where the hands differ, rows with one key would lie in different partitions, and not meet: such joins are refused. And
//! DataFusion's dynamic filter of a join looks for a row's partition at `hash % n`: where an exchange dealt, it would drop rows that match.

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DataFusionError, Result};
use datafusion::config::ConfigOptions;
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
    if !is_partitioned(plan) && !plan.is::<SortMergeJoinExec>() {
        return Ok(());
    }
    let children = plan.children();
    let dealers: Vec<Dealer> = children.iter().filter_map(|child| dealer(child)).collect();
    match dealers[..] {
        [left, right] if left != right && has_several(plan) => Err(DataFusionError::Plan(format!(
            "a {} pairs the partitions of an exchange with those of a repartition",
            plan.name()
        ))),
        _ => Ok(()),
    }
}

/// The options for pushing dynamic filters down: without those of joins, unless every join finds its partitions at `hash % n`.
pub(super) fn filter_options(plan: &Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> ConfigOptions {
    let mut options = options.clone();
    options.optimizer.enable_join_dynamic_filter_pushdown &= !has_other_dealers(plan);
    options
}

fn has_other_dealers(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let is_repartition = |child: &&Arc<dyn ExecutionPlan>| dealer(child) == Some(Dealer::Repartition);
    let is_other = |node: &Arc<dyn ExecutionPlan>| {
        is_partitioned(node) && has_several(node) && !node.children().iter().all(is_repartition)
    };
    plan.exists(|node| Ok(is_other(node))).unwrap_or(true)
}

fn is_partitioned(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<HashJoinExec>()
        .is_some_and(|join| *join.partition_mode() == PartitionMode::Partitioned)
}

fn has_several(join: &Arc<dyn ExecutionPlan>) -> bool {
    let mut partitionings = join.children().into_iter().map(|child| child.output_partitioning());
    partitionings.any(|partitioning| partitioning.partition_count() > 1)
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
