//! A stage whose inputs are complete, and of which nothing has run: its tasks are formed anew by what the inputs really hold.
//!
//! Once per stage. An input that is lost and made again with other rows finds the tasks as they are: any division is right.

use super::Query;
use crate::Command;
use crate::core::Core;
use crate::group::{self, Input};
use crate::stage::StageState;
use crate::task::{Phase, Task};
use mayfly_protocol::journal::Entry;
use mayfly_protocol::{FunctionSize, InputRead, TaskTemplate, Written};

/// Share of a function's memory that encoded input may take: it grows on its way into hash tables.
const INPUT_OF_MEMORY: f64 = 0.2;

impl Query {
    /// Forms the stage's tasks anew, if it may be done and was not yet.
    pub(super) fn regroup(&mut self, core: &mut Core, stage: usize) {
        let Some(regroup) = self.stages[stage].planned.regroup.take() else {
            return;
        };
        // On resume a stage that waits for another may have winners before it opens: its tasks stay as those were.
        if self.stages[stage].count(Phase::Done) > 0 {
            return;
        }
        if mutant!(RegroupAgain) {
            self.stages[stage].planned.regroup = Some(regroup.clone());
        }
        let inputs = self.shared_inputs(stage);
        let Some(partitions) = inputs.first().and_then(|input| input.bytes.first()).map(Vec::len) else {
            return;
        };
        let tasks = group::tasks(&regroup, &inputs, partitions as u32);
        if tasks == self.stages[stage].planned.tasks || !self.may_have(stage, &tasks) {
            return;
        }
        let counters = &mut core.counters;
        counters.regrouped += 1;
        counters.partitions_shared += u64::from(tasks.iter().any(|task| task.share.is_some()));
        self.form(stage, tasks.clone(), &inputs);
        let id = self.stages[stage].id();
        self.note_change(Entry::Regrouped {
            stage: id,
            tasks: tasks.clone(),
        });
        core.commands.push_back(Command::Regrouped {
            query: self.id.clone(),
            stage: id,
            tasks,
        });
    }

    /// Whether the stage's readers read it whole if these are its tasks. Another coordinator may have formed them by those that it had.
    pub(super) fn may_have(&self, stage: usize, tasks: &[TaskTemplate]) -> bool {
        let stage = &self.stages[stage].planned;
        let written = Written {
            tasks: tasks.len() as u32,
            ..Written::from(stage)
        };
        self.is_readable(stage.id, written)
    }

    /// As another coordinator did.
    pub(super) fn regroup_again(&mut self, stage: usize, tasks: Vec<TaskTemplate>) {
        self.stages[stage].planned.regroup = None;
        let inputs = self.shared_inputs(stage);
        self.form(stage, tasks, &inputs);
    }

    fn form(&mut self, stage: usize, tasks: Vec<TaskTemplate>, inputs: &[Input]) {
        let sizes = tasks.iter().map(|task| size_for(task_bytes(task, inputs)));
        let sizes = sizes.collect();
        self.stages[stage].retask(tasks, sizes);
        self.share_inline_bytes_of(stage);
    }

    /// What the winners wrote for the stage's partitions.
    fn shared_inputs(&self, stage: usize) -> Vec<Input> {
        let stage = &self.stages[stage];
        let inputs = stage.planned.inputs.iter().zip(&stage.inputs);
        let shared = inputs.filter(|(input, _)| input.read == InputRead::Partitions);
        shared
            .map(|(input, producer)| Input {
                input: input.input,
                bytes: written(&self.stages[*producer]),
            })
            .collect()
    }
}

fn written(producer: &StageState) -> Vec<Vec<u64>> {
    let none = vec![0; producer.planned.output.partitions as usize];
    let bytes = |task: &Task| match &task.winner {
        Some(winner) => winner.output.partitions.iter().map(|entry| entry.len_bytes).collect(),
        // It was skipped.
        None => none.clone(),
    };
    producer.tasks.iter().map(bytes).collect()
}

fn task_bytes(task: &TaskTemplate, inputs: &[Input]) -> u64 {
    let of = |input: &Input| {
        let whole = 0..input.bytes.len();
        let producers = match task.share.filter(|share| share.input == input.input) {
            Some(share) => share.producers.start as usize..share.producers.end as usize,
            None => whole,
        };
        let partitions = task.partitions.start as usize..task.partitions.end as usize;
        let rows = input.bytes[producers].iter();
        rows.map(|producer| producer[partitions.clone()].iter().sum::<u64>())
            .sum::<u64>()
    };
    inputs.iter().map(of).sum()
}

/// The smallest function that holds the input.
fn size_for(bytes: u64) -> FunctionSize {
    let holds = |size: &FunctionSize| bytes as f64 <= f64::from(size.memory_mb()) * 1e6 * INPUT_OF_MEMORY;
    FunctionSize::ALL.into_iter().find(holds).unwrap_or(FunctionSize::Six)
}
