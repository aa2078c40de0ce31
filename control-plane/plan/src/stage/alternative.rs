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
//! Whatever a join's sides are to each other: when one without whose rows there is nothing has none, the rest does not run (`emptied`).
//!
//! The probe side waits for a build side of half its tasks or fewer: the wait is short, and what it may save is most of the exchange.

mod emptied;
mod filtered;
mod fused;

use super::cut::{CutStage, ScanText};
use super::size::Sizing;
use crate::estimate::COMPRESSION;
use crate::rewrite::broadcast::BROADCAST_BYTES_MAX;
use datafusion::common::{DataFusionError, Result, internal_datafusion_err};
use datafusion::physical_plan::ExecutionPlan;
use mayfly_fragment::ShuffleReadExec;
use mayfly_protocol::{Alternative, ExchangeKind, InputRead, PlanBytes, Stage, StageId};
use std::sync::Arc;

/// Inputs of a probe side: all of them come on top of the build side's in an order, where inlined rows share the room.
const PROBE_INPUTS_MAX: usize = 2;

/// A stage's other plan.
#[derive(Debug)]
pub(crate) struct Other {
    pub alternative: Alternative,
    pub plan: Arc<dyn ExecutionPlan>,
    /// Of the scans in it, for people.
    pub scans: Vec<ScanText>,
}

/// Adds to each stage the other plans that it has, and lets probe sides wait.
pub(crate) fn add(stages: &mut [CutStage], sizing: Sizing) -> Result<()> {
    if sizing.forced() {
        return Ok(());
    }
    for at in 0..stages.len() {
        let other = match fused::of(&stages[at], stages, sizing)? {
            Some(fused) => Some(fused),
            None => filtered::of(&stages[at], stages, sizing)?,
        };
        if let Some(other) = other {
            hold(stages, &other.alternative);
            let own = stages.iter_mut().find(|cut| cut.stage.id == other.alternative.stage.id);
            own.ok_or_else(|| internal_datafusion_err!("an alternative of no stage"))?
                .others
                .push(other);
        }
    }
    for at in 0..stages.len() {
        let emptied = emptied::of(&stages[at], stages)?;
        stages[at].others.extend(emptied);
    }
    Ok(())
}

fn hold(stages: &mut [CutStage], alternative: &Alternative) {
    let waits = alternative.dropped.first().copied().unwrap_or(alternative.stage.id);
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

/// Whether the stage is read by the join alone, for all of its rows, and has room for another input.
fn may_change(probe: &CutStage, stages: &[CutStage]) -> bool {
    let reads_probe = |other: &&CutStage| other.stage.inputs.iter().any(|input| input.stage == probe.stage.id);
    probe.stage.output.kind == ExchangeKind::Hash
        && probe.stage.enough_rows.is_none()
        && probe.stage.inputs.len() <= PROBE_INPUTS_MAX
        && stages.iter().filter(reads_probe).count() == 1
}

/// The input that the side reads by partitions, if it is nothing but that.
fn exchanged(side: &Arc<dyn ExecutionPlan>) -> Option<u32> {
    let read = side.downcast_ref::<ShuffleReadExec>()?;
    (read.read == InputRead::Partitions).then_some(read.input)
}

fn encoded(plan: &Arc<dyn ExecutionPlan>) -> Result<PlanBytes> {
    let bytes = mayfly_fragment::encode(plan).map_err(|cause| DataFusionError::External(Box::new(cause)))?;
    Ok(PlanBytes::new(bytes))
}
