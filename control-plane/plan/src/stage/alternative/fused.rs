//! The join done by the probe side's tasks, over all of the build side.

use super::{Other, Sides, encoded, exchanged, may_change, most_bytes, producer};
use crate::rewrite::join::build_may_be_everywhere;
use crate::stage::cut::CutStage;
use crate::stage::divisible::is_row_by_row;
use crate::stage::size::Sizing;
use crate::stage::with_children;
use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use mayfly_fragment::ShuffleReadExec;
use mayfly_protocol::{Alternative, InputRead, Stage, StageInput};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The join where its probe side is.
pub(super) fn of(cut: &CutStage, stages: &[CutStage], sizing: Sizing) -> Result<Option<Other>> {
    let estimate = |input: u32| producer(cut, stages, input).map_or(0, |producer| producer.stage.output_bytes_estimate);
    let mut sides = None;
    let plan = collected(&cut.plan, &estimate, &mut sides)?;
    let Some((sides, (build, probe))) = sides.and_then(|sides: Sides| {
        let both = (producer(cut, stages, sides.build)?, producer(cut, stages, sides.probe)?);
        Some((sides, both))
    }) else {
        return Ok(None);
    };
    let bytes_max = most_bytes(&probe.stage, sizing);
    if bytes_max == 0 || !may_be_fused(cut, probe, sides, stages) {
        return Ok(None);
    }
    let fused = Fusion::new(cut, probe, sides);
    let plan = fused.plan(&plan, probe)?;
    let stage = Stage {
        plan: encoded(&plan)?,
        inputs: fused.inputs,
        tasks: probe.stage.tasks.clone(),
        regroup: None,
        after: None,
        ..cut.stage.clone()
    };
    let alternative = Alternative {
        decides: build.stage.id,
        bytes_max,
        stage,
        dropped: vec![probe.stage.id],
    };
    Ok(Some(Other {
        alternative,
        plan,
        scans: probe.scans.clone(),
    }))
}

/// Whether the probe side's work can be done in the join's stage.
fn may_be_fused(cut: &CutStage, probe: &CutStage, sides: Sides, stages: &[CutStage]) -> bool {
    let is_side = |input: &StageInput| [sides.build, sides.probe].contains(&input.input);
    let others_are_whole = cut
        .stage
        .inputs
        .iter()
        .all(|input| is_side(input) || input.read == InputRead::All);
    cut.scans.is_empty() && others_are_whole && may_change(probe, stages)
}

/// The plan with the first join of two exchanged sides collecting its build side; `sides` tells which inputs these are.
fn collected(
    plan: &Arc<dyn ExecutionPlan>,
    estimate: &dyn Fn(u32) -> u64,
    sides: &mut Option<Sides>,
) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return match join.partition_mode() {
            PartitionMode::Partitioned => collected_join(join, plan, estimate, sides),
            PartitionMode::CollectLeft if build_may_be_everywhere(*join.join_type()) => {
                let probe = collected(join.right(), estimate, sides)?;
                with_children(plan, vec![join.left().clone(), probe])
            }
            _ => Ok(plan.clone()),
        };
    }
    match plan.children()[..] {
        [child] if is_row_by_row(plan) => with_children(plan, vec![collected(child, estimate, sides)?]),
        _ => Ok(plan.clone()),
    }
}

fn collected_join(
    join: &HashJoinExec,
    plan: &Arc<dyn ExecutionPlan>,
    estimate: &dyn Fn(u32) -> u64,
    sides: &mut Option<Sides>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let (Some(left), Some(right)) = (exchanged(join.left()), exchanged(join.right())) else {
        return Ok(plan.clone());
    };
    let as_it_is = build_may_be_everywhere(*join.join_type()) && !join.null_aware;
    let swapped =
        join.join_type().supports_swap() && build_may_be_everywhere(join.join_type().swap()) && !join.null_aware;
    if as_it_is && (!swapped || estimate(left) <= estimate(right)) {
        *sides = Some(Sides {
            build: left,
            probe: right,
        });
        let join = join.builder().with_partition_mode(PartitionMode::CollectLeft);
        join.recompute_properties().build_exec()
    } else if swapped {
        *sides = Some(Sides {
            build: right,
            probe: left,
        });
        join.swap_inputs(PartitionMode::CollectLeft)
    } else {
        Ok(plan.clone())
    }
}

/// How two stages' inputs become one's.
struct Fusion {
    sides: Sides,
    inputs: Vec<StageInput>,
    /// New ordinals of the join stage's inputs, and of the probe stage's.
    own: BTreeMap<u32, u32>,
    probes: BTreeMap<u32, u32>,
}

impl Fusion {
    fn new(cut: &CutStage, probe: &CutStage, sides: Sides) -> Fusion {
        let mut inputs = Vec::new();
        let mut add = |input: &StageInput, read: InputRead| {
            let ordinal = inputs.len() as u32;
            inputs.push(StageInput {
                input: ordinal,
                stage: input.stage,
                read,
            });
            (input.input, ordinal)
        };
        let kept = cut.stage.inputs.iter().filter(|input| input.input != sides.probe);
        // The build side is read whole, like all others.
        let own = kept.map(|input| add(input, InputRead::All)).collect();
        let probes = probe.stage.inputs.iter().map(|input| add(input, input.read)).collect();
        Fusion {
            sides,
            inputs,
            own,
            probes,
        }
    }

    fn plan(&self, plan: &Arc<dyn ExecutionPlan>, probe: &CutStage) -> Result<Arc<dyn ExecutionPlan>> {
        // Below the writer.
        let body = probe.plan.children()[0];
        let body = with_leaves(body, &|read| Ok(renumbered(read, &self.probes)))?;
        with_leaves(plan, &|read| {
            Ok(match read.input {
                input if input == self.sides.probe => body.clone(),
                input if input == self.sides.build => {
                    let read = ShuffleReadExec::new(self.own[&input], read.schema(), InputRead::All, 1);
                    Arc::new(read)
                }
                _ => renumbered(read, &self.own),
            })
        })
    }
}

fn renumbered(read: &ShuffleReadExec, ordinals: &BTreeMap<u32, u32>) -> Arc<dyn ExecutionPlan> {
    let mut read = read.clone();
    read.input = ordinals[&read.input];
    Arc::new(read)
}

/// The plan with other leaves in place of its inputs.
fn with_leaves(
    plan: &Arc<dyn ExecutionPlan>,
    leaf: &dyn Fn(&ShuffleReadExec) -> Result<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(read) = plan.downcast_ref::<ShuffleReadExec>() {
        return leaf(read);
    }
    let children = plan.children().into_iter().map(|child| with_leaves(child, leaf));
    with_children(plan, children.collect::<Result<_>>()?)
}
