//! The stage that has nothing to do when one of its inputs has no rows: one task that yields nothing of what those rows would have been
//! needed for, and what nobody else reads does not run.
//!
//! ```text
//! planned      s0 build ─HASH─┐                         if s0 publishes no row, before s1 has begun:
//!              s1 probe ─HASH─┴ s2 inner join …         s0 ─all─ s2 NoRows …; s1 does not run
//! ```
//!
//! A plan without the other inputs is right only as long as the empty one stays empty: `NoRowsExec` sees to that.

use super::{Other, encoded};
use crate::stage::cut::CutStage;
use crate::stage::with_children;
use datafusion::common::{JoinType, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use mayfly_fragment::{NoRowsExec, ShuffleReadExec};
use mayfly_protocol::{Alternative, InputRead, PartitionRange, Stage, StageInput, TaskTemplate, dropped_by};
use std::sync::Arc;

/// Operators that yield no row when their one input has none.
const KEEPS_EMPTY: [&str; 15] = [
    "BoundedWindowAggExec",
    "CoalesceBatchesExec",
    "CoalescePartitionsExec",
    "CooperativeExec",
    "FenceExec",
    "FilterExec",
    "GlobalLimitExec",
    "LocalLimitExec",
    "PartialSortExec",
    "ProjectionExec",
    "RepartitionExec",
    "SortExec",
    "SortPreservingMergeExec",
    "UnnestExec",
    "WindowAggExec",
];

/// One for each input without whose rows the stage needs less.
pub(super) fn of(cut: &CutStage, stages: &[CutStage]) -> Result<Vec<Other>> {
    let inputs = cut.stage.inputs.iter();
    let others = inputs.map(|input| without(cut, stages, input));
    Ok(others.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn without(cut: &CutStage, stages: &[CutStage], input: &StageInput) -> Result<Option<Other>> {
    // Below the writer.
    let body = cut.plan.children()[0];
    let Some(body) = emptied(body, input.input)? else {
        return Ok(None);
    };
    let plan = with_children(&cut.plan, vec![body])?;
    let stage = Stage {
        plan: encoded(&plan)?,
        inputs: vec![StageInput {
            input: 0,
            stage: input.stage,
            read: InputRead::All,
        }],
        tasks: vec![TaskTemplate {
            partitions: PartitionRange::new(0, 0),
            ..TaskTemplate::default()
        }],
        regroup: None,
        after: None,
        ..cut.stage.clone()
    };
    let dropped = dropped_by(stages.iter().map(|cut| &cut.stage), &stage);
    let saves = !dropped.is_empty() || (cut.stage.tasks.len() > 1 && !cut.scans.is_empty());
    Ok(saves.then(|| Other {
        alternative: Alternative {
            decides: input.stage,
            bytes_max: 0,
            stage,
            dropped,
        },
        plan,
        scans: Vec::new(),
    }))
}

/// The plan with all that the input empties gone; none unless that is all that it reads.
fn emptied(plan: &Arc<dyn ExecutionPlan>, input: u32) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(read) = empties(plan, input) {
        let read = ShuffleReadExec::new(0, read.schema(), InputRead::All, 1);
        return Ok(Some(Arc::new(NoRowsExec::new(Arc::new(read), plan.schema()))));
    }
    match plan.children()[..] {
        [child] => emptied(child, input)?
            .map(|child| with_children(plan, vec![child]))
            .transpose(),
        _ => Ok(None),
    }
}

/// The input's leaf, if the plan yields no row when that has none.
fn empties(plan: &Arc<dyn ExecutionPlan>, input: u32) -> Option<&ShuffleReadExec> {
    if let Some(read) = plan.downcast_ref::<ShuffleReadExec>() {
        return (read.input == input).then_some(read);
    }
    let children = plan.children();
    if let Some(join) = join_type(plan) {
        let left = left_empties(join).then(|| empties(children[0], input)).flatten();
        return left.or_else(|| right_empties(join).then(|| empties(children[1], input)).flatten());
    }
    match children[..] {
        [child] if keeps_empty(plan) => empties(child, input),
        _ => None,
    }
}

fn keeps_empty(plan: &Arc<dyn ExecutionPlan>) -> bool {
    match plan.downcast_ref::<AggregateExec>() {
        // Without keys there is one row whatever comes in, and a grouping set may have none.
        Some(aggregate) => aggregate.group_expr().is_single() && !aggregate.group_expr().expr().is_empty(),
        None => KEEPS_EMPTY.contains(&plan.name()),
    }
}

fn join_type(plan: &Arc<dyn ExecutionPlan>) -> Option<JoinType> {
    let hash = plan.downcast_ref::<HashJoinExec>().map(|join| *join.join_type());
    let merge = || plan.downcast_ref::<SortMergeJoinExec>().map(|join| join.join_type());
    let nested = || plan.downcast_ref::<NestedLoopJoinExec>().map(|join| *join.join_type());
    let cross = || plan.downcast_ref::<CrossJoinExec>().map(|_| JoinType::Inner);
    hash.or_else(merge).or_else(nested).or_else(cross)
}

fn left_empties(join: JoinType) -> bool {
    use JoinType::{Inner, Left, LeftAnti, LeftMark, LeftSemi, RightSemi};
    matches!(join, Inner | Left | LeftSemi | LeftAnti | LeftMark | RightSemi)
}

fn right_empties(join: JoinType) -> bool {
    left_empties(join.swap())
}

#[cfg(test)]
mod tests;
