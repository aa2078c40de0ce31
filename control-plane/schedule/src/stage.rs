//! A stage: its tasks by phase, its neighbours in the graph, and the version of what it reads.

use crate::progress::{self, Skew, StageProgress};
use crate::speculation::StageSpeculation;
use crate::task::{Phase, Task};
use mayfly_protocol::spec::PlanRef;
use mayfly_protocol::{ExchangeKind, FunctionSize, Meter, PlanBytes, Stage, StageId, TaskStatistics, TaskTemplate};

const PHASES: usize = 6;

/// Tasks of a stage that may have enough rows early, at first; and how many times more after each time that these had too few.
const OPENED_FIRST: usize = 2;
const OPENED_GROWTH: usize = 4;

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
    phases: [u32; PHASES],
    /// Winners that the journal holds.
    pub journaled: u32,
    /// Tasks that may run, the first ones: of a stage that may have enough rows early, few at first.
    pub opened: usize,
    pub attempts: u32,
    pub failed_attempts: u32,
    pub speculation: StageSpeculation,
    pub rows_out: u64,
    pub bytes_out: u64,
    pub statistics: TaskStatistics,
    pub skew: Option<Skew>,
    /// Runs another plan than its graph's first.
    pub is_alternative: bool,
    /// Its work is done by another stage.
    pub is_dropped: bool,
}

impl StageState {
    pub fn new(planned: Stage, plan: PlanRef, unsent_plan: Option<PlanBytes>) -> StageState {
        let tasks: Vec<Task> = planned.tasks.iter().map(|_| Task::new(planned.size)).collect();
        StageState {
            plan,
            unsent_plan,
            inputs: Vec::new(),
            consumers: Vec::new(),
            phases: all_planned(&tasks),
            journaled: 0,
            opened: opened_first(&planned, tasks.len()),
            tasks,
            version: 0,
            inline_bytes_max: 0,
            attempts: 0,
            failed_attempts: 0,
            speculation: StageSpeculation::default(),
            rows_out: 0,
            bytes_out: 0,
            statistics: TaskStatistics::default(),
            skew: None,
            is_alternative: false,
            is_dropped: false,
            planned,
        }
    }

    pub fn id(&self) -> StageId {
        self.planned.id
    }

    pub fn count(&self, phase: Phase) -> u32 {
        self.phases[phase as usize]
    }

    /// Whether each task has a winner, or is not wanted.
    pub fn is_complete(&self) -> bool {
        (self.count(Phase::Done) + self.count(Phase::Skipped)) as usize == self.tasks.len()
    }

    /// Whether the journal holds all that its readers read.
    pub fn is_journaled(&self) -> bool {
        (self.journaled + self.count(Phase::Skipped)) as usize == self.tasks.len()
    }

    /// Whether the winners have all the rows that are wanted.
    pub fn has_enough(&self) -> bool {
        self.planned
            .enough_rows
            .is_some_and(|enough| self.rows_out >= if mutant!(EnoughTooEarly) { enough / 2 } else { enough })
    }

    /// Lets more tasks run once all that might have won; false if there are no more.
    pub fn open_more(&mut self) -> bool {
        let all_won = self.count(Phase::Done) as usize >= self.opened;
        let more = all_won && self.opened < self.tasks.len();
        if more {
            self.opened = (self.opened * OPENED_GROWTH).min(self.tasks.len());
        }
        more
    }

    /// Nothing of it will run and nothing will read it.
    pub fn drop_work(&mut self) {
        self.is_dropped = true;
        self.planned.inputs.clear();
        self.planned.after = None;
        self.retask(Vec::new(), Vec::new());
    }

    /// Other tasks instead of those planned, none of which has run.
    pub fn retask(&mut self, tasks: Vec<TaskTemplate>, sizes: Vec<FunctionSize>) {
        let size = self.planned.size;
        self.tasks = sizes.into_iter().map(|least| Task::new(size.max(least))).collect();
        self.planned.tasks = tasks;
        self.phases = all_planned(&self.tasks);
        self.opened = opened_first(&self.planned, self.tasks.len());
    }

    pub fn set_phase(&mut self, task: usize, phase: Phase) {
        let task = &mut self.tasks[task];
        self.phases[task.phase as usize] -= 1;
        self.phases[phase as usize] += 1;
        task.phase = phase;
    }

    /// Looks at all tasks once the last one has won.
    pub fn measure_skew(&mut self) {
        let of = |task: &Task| {
            let rows = task.winner.as_ref().map_or(0, |winner| winner.output.rows());
            (u64::from(task.elapsed_ms), rows)
        };
        let tasks: Vec<(u64, u64)> = self.tasks.iter().map(of).collect();
        self.skew = self.is_complete().then(|| progress::skew(&tasks));
    }

    pub fn progress(&self, inputs: Vec<StageId>, meter: Meter, speculated: Meter) -> StageProgress {
        StageProgress {
            stage: self.id(),
            exchange: self.exchange(),
            alternative: self.is_alternative.then(|| self.plan.digest()),
            inputs,
            planned: self.count(Phase::Planned),
            queued: self.count(Phase::Queued) + self.count(Phase::Waiting),
            running: self.count(Phase::Running),
            done: self.count(Phase::Done),
            skipped: self.count(Phase::Skipped),
            attempts: self.attempts,
            failed_attempts: self.failed_attempts,
            copies: self.speculation.copies,
            copies_won: self.speculation.won,
            rows_out: self.rows_out,
            bytes_out: self.bytes_out,
            statistics: self.statistics,
            skew: self.skew,
            meter,
            speculated,
        }
    }

    fn exchange(&self) -> ExchangeKind {
        self.planned.output.kind
    }
}

fn all_planned(tasks: &[Task]) -> [u32; PHASES] {
    let mut phases = [0; PHASES];
    let count = u32::try_from(tasks.len());
    phases[Phase::Planned as usize] =
        count.expect("the query checked TASKS_MAX, and partitions bound what is regrouped");
    phases
}

fn opened_first(planned: &Stage, tasks: usize) -> usize {
    planned.enough_rows.map_or(tasks, |_| tasks.min(OPENED_FIRST))
}
