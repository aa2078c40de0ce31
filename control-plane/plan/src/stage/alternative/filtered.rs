//! The probe side, filtered by the build side before it is exchanged.

use super::{Other, Sides, encoded, exchanged, may_change, most_bytes, producer};
use crate::stage::cut::CutStage;
use crate::stage::size::Sizing;
use crate::stage::with_children;
use arrow::datatypes::SchemaRef;
use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::physical_expr::PhysicalExprRef;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, HashJoinExecBuilder, PartitionMode};
use mayfly_fragment::ShuffleReadExec;
use mayfly_protocol::{Alternative, InputRead, Stage, StageInput};
use std::sync::Arc;

/// How many times less than the exchange itself a filter has to cost: how many rows it keeps is not known.
const FILTER_GAIN: u64 = 4;

/// The probe side, of its rows those that have a partner in the build side.
pub(super) fn of(cut: &CutStage, stages: &[CutStage], sizing: Sizing) -> Result<Option<Other>> {
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
    if bytes_max == 0 || !is_earlier || !probe.others.is_empty() || !may_change(probe, stages) {
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
    let mut stage = Stage {
        plan: encoded(&plan)?,
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
        dropped: Vec::new(),
    };
    Ok(Some(Other {
        alternative,
        plan,
        scans: probe.scans.clone(),
    }))
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
