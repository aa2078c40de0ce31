//! A stage: its tasks by phase, its neighbours in the graph, and the version of what it reads.

use crate::progress::StageProgress;
use crate::task::{Phase, Task};
use mayfly_protocol::spec::PlanRef;
use mayfly_protocol::{ExchangeKind, Meter, PlanBytes, Stage, StageId, TaskStatistics};

#[derive(Debug)]
pub(crate) struct StageState {
    /// As planned. Its plan's bytes have moved to `plan` or `unsent_plan`.
    pub planned: Stage,
    /// How specs name the plan.
    pub plan: PlanRef,
    /// A plan too large for specs, until it was put.
    pub unsent_plan: Option<PlanBytes>,
    /// Positions of the stages that it reads, in the order of its inputs, and of those that read it, each once.
    pub inputs: Vec<usize>,
    pub consumers: Vec<usize>,
    pub tasks: Vec<Task>,
    /// Rises whenever a winner of an input comes or goes after the stage was first opened.
    pub version: u64,
    pub inline_bytes_max: u64,
    phases: [u32; 5],
    pub attempts: u32,
    pub failed_attempts: u32,
    pub rows_out: u64,
    pub bytes_out: u64,
    pub statistics: TaskStatistics,
}

impl StageState {
    pub fn new(planned: Stage, plan: PlanRef, unsent_plan: Option<PlanBytes>) -> StageState {
        let tasks: Vec<Task> = planned.tasks.iter().map(|_| Task::new(planned.size)).collect();
        let count = u32::try_from(tasks.len()).expect("the query checked TASKS_MAX");
        StageState {
            plan,
            unsent_plan,
            inputs: Vec::new(),
            consumers: Vec::new(),
            tasks,
            version: 0,
            inline_bytes_max: 0,
            phases: [count, 0, 0, 0, 0],
            attempts: 0,
            failed_attempts: 0,
            rows_out: 0,
            bytes_out: 0,
            statistics: TaskStatistics::default(),
            planned,
        }
    }

    pub fn id(&self) -> StageId {
        self.planned.id
    }

    pub fn count(&self, phase: Phase) -> u32 {
        self.phases[phase as usize]
    }

    /// Whether each task has a winner.
    pub fn is_complete(&self) -> bool {
        self.count(Phase::Done) as usize == self.tasks.len()
    }

    pub fn set_phase(&mut self, task: usize, phase: Phase) {
        let task = &mut self.tasks[task];
        self.phases[task.phase as usize] -= 1;
        self.phases[phase as usize] += 1;
        task.phase = phase;
    }

    pub fn progress(&self, inputs: Vec<StageId>, meter: Meter) -> StageProgress {
        StageProgress {
            stage: self.id(),
            exchange: self.exchange(),
            inputs,
            planned: self.count(Phase::Planned),
            queued: self.count(Phase::Queued) + self.count(Phase::Waiting),
            running: self.count(Phase::Running),
            done: self.count(Phase::Done),
            attempts: self.attempts,
            failed_attempts: self.failed_attempts,
            rows_out: self.rows_out,
            bytes_out: self.bytes_out,
            statistics: self.statistics,
            meter,
        }
    }

    fn exchange(&self) -> ExchangeKind {
        self.planned.output.kind
    }
}
