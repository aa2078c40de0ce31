//! The other plan of a join whose build side may turn out small: the probe side's tasks join where they are, with all of the build side,
//! instead of hashing themselves through an exchange.
//!
//! ```text
//! planned      s0 build ─HASH─┐                        if s0 publishes little, before s1 has begun:
//!              s1 probe ─HASH─┴ s2 join …              s0 build ─all─ s2 join … over s1's own plan and tasks; s1 does not run
//! ```
//!
//! Only where nothing above the join in its stage needs the rows of a key together. Elsewhere the probe side's tasks read the build side
//! as a filter: of their rows they exchange those alone that have a partner, and DataFusion hands the keys' bounds, or the keys
//! themselves, down to the scan.
//!
//! The probe side waits for a build side of half its tasks or fewer: the wait is short, and what it may save is most of the exchange.

use super::cut::CutStage;
use super::divisible::ROW_BY_ROW;
use super::size::Sizing;
use super::with_children;
use crate::estimate::COMPRESSION;
use crate::rewrite::broadcast::BROADCAST_BYTES_MAX;
use crate::rewrite::join::build_may_be_everywhere;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, JoinType, NullEquality, Result, internal_datafusion_err};
use datafusion::physical_expr::PhysicalExprRef;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::joins::{HashJoinExec, HashJoinExecBuilder, PartitionMode};
use mayfly_fragment::ShuffleReadExec;
use mayfly_protocol::{Alternative, ExchangeKind, InputRead, PlanBytes, Stage, StageId, StageInput};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Inputs of a probe side: all of them come on top of the build side's in an order, where inlined rows share the room.
const PROBE_INPUTS_MAX: usize = 2;

/// How many times less than the exchange itself a filter has to cost: how many rows it keeps is not known.
const FILTER_GAIN: u64 = 4;

/// A stage's other plan.
#[derive(Debug)]
pub(crate) struct Other {
    pub alternative: Alternative,
    pub plan: Arc<dyn ExecutionPlan>,
}

/// Adds to each stage the other plan that it has, if it has one, and lets probe sides wait.
pub(crate) fn add(stages: &mut [CutStage], sizing: Sizing) -> Result<()> {
    if sizing.forced() {
        return Ok(());
    }
    for at in 0..stages.len() {
        let other = match fused(&stages[at], stages, sizing)? {
            Some(fused) => Some(fused),
            None => filtered(&stages[at], stages, sizing)?,
        };
        if let Some(other) = other {
            hold(stages, &other.alternative);
            let own = stages.iter_mut().find(|cut| cut.stage.id == other.alternative.stage.id);
            own.ok_or_else(|| internal_datafusion_err!("an alternative of no stage"))?
                .other = Some(other);
        }
    }
    Ok(())
}

fn hold(stages: &mut [CutStage], alternative: &Alternative) {
    let waits = alternative.dropped.unwrap_or(alternative.stage.id);
    let tasks = |id: StageId| {
        stages
            .iter()
            .find(|cut| cut.stage.id == id)
            .map_or(0, |cut| cut.stage.tasks.len())
    };
    if tasks(alternative.decides) * 2 <= tasks(waits)
        && let Some(probe) = stages.iter_mut().find(|cut| cut.stage.id == waits)
    {
        probe.stage.after = Some(alternative.decides);
    }
}

/// Ordinals of the two inputs of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sides {
    build: u32,
    probe: u32,
}

/// The join where its probe side is.
fn fused(cut: &CutStage, stages: &[CutStage], sizing: Sizing) -> Result<Option<Other>> {
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
    let bytes = mayfly_fragment::encode(&plan).map_err(|cause| DataFusionError::External(Box::new(cause)))?;
    let stage = Stage {
        plan: PlanBytes::new(bytes),
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
        dropped: Some(probe.stage.id),
    };
    Ok(Some(Other { alternative, plan }))
}

/// The probe side, of its rows those that have a partner in the build side.
fn filtered(cut: &CutStage, stages: &[CutStage], sizing: Sizing) -> Result<Option<Other>> {
    let Some(filter) = Filter::find(&cut.plan) else {
        return Ok(None);
    };
    let both = (
        producer(cut, stages, filter.sides.build),
        producer(cut, stages, filter.sides.probe),
    );
    let (Some(build), Some(probe)) = both else {
        return Ok(None);
    };
    let bytes_max = most_bytes(&probe.stage, sizing) / FILTER_GAIN;
    let is_earlier = build.stage.id < probe.stage.id;
    if bytes_max == 0 || !is_earlier || probe.other.is_some() || !may_change(probe, stages) {
        return Ok(None);
    }
    let input = probe
        .stage
        .inputs
        .iter()
        .map(|input| input.input + 1)
        .max()
        .unwrap_or(0);
    let plan = filter.plan(probe, input)?;
    let bytes = mayfly_fragment::encode(&plan).map_err(|cause| DataFusionError::External(Box::new(cause)))?;
    let mut stage = Stage {
        plan: PlanBytes::new(bytes),
        after: None,
        ..probe.stage.clone()
    };
    stage.inputs.push(StageInput {
        input,
        stage: build.stage.id,
        read: InputRead::All,
    });
    let alternative = Alternative {
        decides: build.stage.id,
        bytes_max,
        stage,
        dropped: None,
    };
    Ok(Some(Other { alternative, plan }))
}

/// A join of two exchanged sides that drops rows of its probe side which have no partner.
struct Filter {
    sides: Sides,
    /// Build side's key and probe side's key.
    on: Vec<(PhysicalExprRef, PhysicalExprRef)>,
    null_equality: NullEquality,
    build: SchemaRef,
}

impl Filter {
    fn find(plan: &Arc<dyn ExecutionPlan>) -> Option<Filter> {
        let here = plan.downcast_ref::<HashJoinExec>().and_then(Filter::of);
        here.or_else(|| plan.children().into_iter().find_map(Filter::find))
    }

    /// Of a join's sides the left one is an earlier stage, and a graph has producers before their readers: so only it may filter.
    fn of(join: &HashJoinExec) -> Option<Filter> {
        let (build, probe) = (exchanged(join.left())?, exchanged(join.right())?);
        let filters = *join.partition_mode() == PartitionMode::Partitioned
            && !join.null_aware
            && drops_unmatched_probes(*join.join_type());
        filters.then(|| Filter {
            sides: Sides { build, probe },
            on: join.on().to_vec(),
            null_equality: join.null_equality(),
            build: join.left().schema(),
        })
    }

    /// `input`: the ordinal by which the probe side reads the build side.
    fn plan(&self, probe: &CutStage, input: u32) -> Result<Arc<dyn ExecutionPlan>> {
        // Below the writer.
        let body = probe.plan.children()[0].clone();
        let keys = Arc::new(ShuffleReadExec::new(input, self.build.clone(), InputRead::All, 1));
        let join = HashJoinExecBuilder::new(keys, body, self.on.clone(), JoinType::RightSemi)
            .with_partition_mode(PartitionMode::CollectLeft)
            .with_null_equality(self.null_equality);
        with_children(&probe.plan, vec![join.build_exec()?])
    }
}

/// Whether a join whose build side is its left yields nothing for a row of its right that has no partner.
fn drops_unmatched_probes(join: JoinType) -> bool {
    matches!(
        join,
        JoinType::Inner
            | JoinType::Left
            | JoinType::LeftSemi
            | JoinType::LeftAnti
            | JoinType::LeftMark
            | JoinType::RightSemi
    )
}

fn producer<'a>(cut: &CutStage, stages: &'a [CutStage], input: u32) -> Option<&'a CutStage> {
    let input = cut.stage.inputs.iter().find(|other| other.input == input)?;
    stages.iter().find(|other| other.stage.id == input.stage)
}

/// What a build side may have published so that sending it to each of the probe side's tasks costs less than exchanging the probe side.
fn most_bytes(probe: &Stage, sizing: Sizing) -> u64 {
    let others = (probe.tasks.len() as u64).saturating_sub(1).max(1);
    let in_memory = sizing.target_task_bytes.min(BROADCAST_BYTES_MAX);
    (in_memory / COMPRESSION).min(probe.output_bytes_estimate / others)
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

/// Whether the stage is read by the join alone, for all of its rows, and has room for another input.
fn may_change(probe: &CutStage, stages: &[CutStage]) -> bool {
    let reads_probe = |other: &&CutStage| other.stage.inputs.iter().any(|input| input.stage == probe.stage.id);
    probe.stage.output.kind == ExchangeKind::Hash
        && probe.stage.enough_rows.is_none()
        && probe.stage.inputs.len() <= PROBE_INPUTS_MAX
        && stages.iter().filter(reads_probe).count() == 1
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
    let begins = |aggregate: &AggregateExec| *aggregate.mode() == AggregateMode::Partial;
    let passes = ROW_BY_ROW.contains(&plan.name()) || plan.downcast_ref::<AggregateExec>().is_some_and(begins);
    match plan.children()[..] {
        [child] if passes => with_children(plan, vec![collected(child, estimate, sides)?]),
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

/// The input that the side reads by partitions, if it is nothing but that.
fn exchanged(side: &Arc<dyn ExecutionPlan>) -> Option<u32> {
    let read = side.downcast_ref::<ShuffleReadExec>()?;
    (read.read == InputRead::Partitions).then_some(read.input)
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
