//! From a graph to a query: bounds checked, neighbours linked, plans placed, leaf stages open.

use super::{Ledger, Query};
use crate::core::Core;
use crate::stage::StageState;
use crate::timers::Timer;
use crate::{QueryLimits, Settings, Usage};
use mayfly_protocol::spec::PlanRef;
use mayfly_protocol::{EpochMs, ErrorCode, PlanBytes, QueryError, QueryId, Stage, StageGraph, TenantId, key, limits};
use std::collections::{BTreeMap, BTreeSet};

/// What a submission says besides the graph.
pub(crate) struct Submission {
    pub query: QueryId,
    pub epoch: u32,
    pub deadline: EpochMs,
    pub limits: QueryLimits,
}

impl Query {
    /// Refuses graphs that are none, and those beyond a bound.
    pub fn new(submission: Submission, graph: StageGraph, settings: &Settings) -> Result<Query, QueryError> {
        check(&graph)?;
        let retries_max = settings.retries_max(graph.tasks());
        let id = submission.query;
        let stages = graph.stages.into_iter();
        let stages = stages.map(|stage| place(stage, &settings.tenant, &id));
        let mut query = Query {
            stages: stages.collect(),
            id,
            epoch: submission.epoch,
            deadline: submission.deadline,
            limits: submission.limits,
            settings: graph.settings,
            alternatives: graph.alternatives,
            positions: BTreeMap::new(),
            ready: BTreeSet::new(),
            has_turn: false,
            in_flight: 0,
            is_long: false,
            metered: Usage::default(),
            bounds: BTreeMap::new(),
            kept: Vec::new(),
            reserved: BTreeMap::new(),
            retries: 0,
            retries_max,
            failing_since: None,
            last_failure: "none",
            ledger: Ledger::default(),
            garbage: Vec::new(),
        };
        query.link();
        query.share_inline_bytes();
        Ok(query)
    }

    pub fn set_deadline(&self, core: &mut Core) {
        core.timers.set(self.deadline, Timer::Deadline(self.id.clone()));
    }

    pub fn start(&mut self, core: &mut Core) {
        (0..self.stages.len()).for_each(|stage| self.open(core, stage));
    }

    pub(super) fn link(&mut self) {
        self.stages.iter_mut().for_each(|stage| stage.consumers.clear());
        let numbered = self.stages.iter().enumerate();
        self.positions = numbered.map(|(position, stage)| (stage.id(), position)).collect();
        for position in 0..self.stages.len() {
            let inputs = self.stages[position].planned.inputs.iter();
            let inputs: Vec<usize> = inputs.map(|input| self.positions[&input.stage]).collect();
            for input in inputs.iter().collect::<BTreeSet<_>>() {
                self.stages[*input].consumers.push(position);
            }
            self.stages[position].inputs = inputs;
        }
    }

    /// A spec has room for two fully inlined inputs; the producers of a consumer with more share that room.
    fn share_inline_bytes(&mut self) {
        (0..self.stages.len()).for_each(|position| self.share_inline_bytes_of(position));
    }

    pub(super) fn share_inline_bytes_of(&mut self, position: usize) {
        let stage = &self.stages[position];
        let inputs = stage
            .consumers
            .iter()
            .map(|consumer| self.stages[*consumer].inputs.len());
        let pairs = inputs.max().unwrap_or(1).div_ceil(2) as u64;
        let tasks = u32::try_from(stage.tasks.len()).expect("checked against TASKS_MAX");
        self.stages[position].inline_bytes_max = limits::inline_bytes_max(tasks) / pairs;
    }
}

fn check(graph: &StageGraph) -> Result<(), QueryError> {
    let refuse = |code, text: String| Err(QueryError::new(code, text));
    if graph.stages.len() > limits::STAGES_MAX {
        let text = format!(
            "the plan has {} stages, over {}",
            graph.stages.len(),
            limits::STAGES_MAX
        );
        return refuse(ErrorCode::QueryHasTooManyStages, text);
    }
    let others = graph.alternatives.iter().map(|alternative| &alternative.stage);
    graph.stages.iter().chain(others).try_for_each(check_stage)?;
    let broken = |error| {
        QueryError::new(
            ErrorCode::GenericInternalError,
            format!("the stage graph is broken: {error}"),
        )
    };
    graph.check().map_err(broken)
}

fn check_stage(stage: &Stage) -> Result<(), QueryError> {
    let refuse = |code, what: String| Err(QueryError::new(code, format!("stage {} has {what}", stage.id)));
    let (tasks, partitions, plan) = (stage.tasks.len(), stage.output.partitions, stage.plan.bytes.len());
    if tasks > limits::TASKS_MAX as usize {
        let hint = "raise the session property target_task_bytes";
        return refuse(
            ErrorCode::TooManyTasks,
            format!("{tasks} tasks, over {}", limits::TASKS_MAX),
        )
        .map_err(|error| error.hint(hint));
    }
    if partitions > limits::PARTITIONS_MAX {
        return refuse(
            ErrorCode::TooManyTasks,
            format!("{partitions} partitions, over {}", limits::PARTITIONS_MAX),
        );
    }
    if plan > limits::PLAN_BYTES_MAX {
        return refuse(
            ErrorCode::TooComplex,
            format!("a plan of {plan} bytes, over {}", limits::PLAN_BYTES_MAX),
        );
    }
    Ok(())
}

/// Decides whether the plan rides in specs or becomes an object. Its bytes move: specs hold the only copy.
pub(super) fn place(mut stage: Stage, tenant: &TenantId, query: &QueryId) -> StageState {
    let digest = stage.plan.digest;
    let bytes = std::mem::take(&mut stage.plan.bytes);
    let plan = PlanBytes { digest, bytes };
    if plan.bytes.len() <= limits::PLAN_INLINE_BYTES_MAX {
        return StageState::new(stage, PlanRef::Inline(plan), None);
    }
    let key = key::plan(tenant, query, &digest);
    StageState::new(stage, PlanRef::Object { digest, key }, Some(plan))
}
