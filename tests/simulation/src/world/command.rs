//! Carries out the scheduler's commands, after the auditor has seen them.

use super::{Step, World};
use crate::cloud::Moment;
use crate::oracle;
use mayfly_auditor::Violation;
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{Alternative, AttemptId, Meter, Output, QueryId, StageId, TaskSpec, TaskTemplate};
use mayfly_schedule::{Command, Usage};
use std::collections::BTreeMap;

impl World<'_> {
    pub(super) fn drain(&mut self) -> Step {
        while let Some(command) = self.scheduler.poll_command() {
            match command {
                Command::PutPlan { key, .. } => {
                    self.trace.note(self.now, format_args!("  > put {key}"));
                    self.coverage.hit("branch plan put");
                }
                Command::Regrouped { query, stage, tasks } => self.regroup(&query, stage, tasks)?,
                Command::Switched { query, alternative } => self.switch(&query, &alternative)?,
                Command::Invoke { spec, .. } => self.invoke(*spec)?,
                Command::Finish {
                    query, outcome, usage, ..
                } => self.finish(&query, &outcome, usage)?,
                Command::Late {
                    attempt, meter, output, ..
                } => self.late(&attempt, meter, output)?,
                Command::Discard { attempt, output, .. } => self.discard(&attempt, &output)?,
            }
        }
        Ok(())
    }

    /// When nothing will happen any more: everything has ended, and what was billed is priced.
    pub(super) fn judge_the_end(&mut self) -> Step {
        self.auditor.ended(self.now).map_err(say)?;
        if !self.scheduler.is_idle() || self.scheduler.in_flight() > 0 {
            return Err(self.say("the scheduler still holds something"));
        }
        for planned in &self.queries {
            let stages = planned.usage.stages.iter();
            let usage: BTreeMap<Option<StageId>, Meter> = stages.map(|(stage, meter)| (Some(*stage), *meter)).collect();
            let bill = mayfly_cost::bill(self.book, &usage);
            self.trace
                .note(self.now, format_args!("bill {} {}", planned.id, bill.total));
        }
        Ok(())
    }

    fn regroup(&mut self, query: &QueryId, stage: StageId, tasks: Vec<TaskTemplate>) -> Step {
        self.trace.note(
            self.now,
            format_args!("  > regroup {query}/{stage} {} tasks", tasks.len()),
        );
        let verdict = self.auditor.regrouped(self.now, query, stage, &tasks);
        verdict.map_err(say)?;
        // The oracle runs the tasks that there are.
        let graph = &mut self.queries[self.by_id[query]].modelled.graph;
        if let Some(own) = graph.stages.iter_mut().find(|own| own.id == stage) {
            own.tasks = tasks;
        }
        Ok(())
    }

    fn switch(&mut self, query: &QueryId, taken: &Alternative) -> Step {
        self.trace
            .note(self.now, format_args!("  > switch {query}/{}", taken.stage.id));
        let verdict = self.auditor.switched(self.now, query, taken);
        verdict.map_err(say)?;
        // The oracle runs the graph that there is.
        self.queries[self.by_id[query]].modelled.take(taken);
        Ok(())
    }

    fn invoke(&mut self, spec: TaskSpec) -> Step {
        let (attempt, size_mb) = (&spec.attempt, spec.size.memory_mb());
        self.trace
            .note(self.now, format_args!("  > invoke {attempt} {size_mb} MB"));
        self.auditor.invoked(self.now, &spec).map_err(say)?;
        let modelled = &self.queries[self.by_id[&attempt.query]].modelled;
        let nature = modelled.natures[attempt.task.stage.index as usize];
        let mut moment = Moment {
            now: self.now,
            streams: &mut self.streams,
            heap: &mut self.heap,
            coverage: &mut self.coverage,
        };
        self.cloud.invoke(spec, nature, &mut moment);
        Ok(())
    }

    fn finish(&mut self, query: &QueryId, outcome: &Outcome, usage: Usage) -> Step {
        let ending = ending(outcome);
        self.trace.note(self.now, format_args!("  > finish {query} {ending}"));
        self.coverage.hit(&format!("end {ending}"));
        let verdict = self.auditor.finished(self.now, query, outcome, &usage.stages);
        verdict.map_err(say)?;
        let planned = &mut self.queries[self.by_id[query]];
        planned.usage = usage;
        let Outcome::Finished { outputs, .. } = outcome else {
            return Ok(());
        };
        match oracle::answer(&planned.modelled) {
            Some(right) if outputs.iter().map(|output| &output.partitions).ne(&right) => {
                Err(self.say(&format!("{query}: a wrong answer")))
            }
            Some(_) => {
                self.coverage.hit("end answer equals the oracle's");
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn late(&mut self, attempt: &AttemptId, meter: Meter, output: Option<Output>) -> Step {
        self.trace.note(self.now, format_args!("  > late {attempt}"));
        let verdict = self.auditor.late(self.now, attempt, &meter, output.as_ref());
        verdict.map_err(say)?;
        let planned = &mut self.queries[self.by_id[&attempt.query]];
        planned.usage.add(attempt.task.stage, meter);
        if let Some(output) = output {
            self.cloud.delete(&output);
        }
        Ok(())
    }

    fn discard(&mut self, attempt: &AttemptId, output: &Output) -> Step {
        self.trace.note(self.now, format_args!("  > discard {attempt}"));
        let verdict = self.auditor.discarded(self.now, attempt, output);
        verdict.map_err(say)?;
        self.cloud.delete(output);
        Ok(())
    }
}

fn say(violation: Violation) -> String {
    violation.to_string()
}

fn ending(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Finished { .. } => "finished",
        Outcome::Failed { error } => error.code.name(),
        Outcome::Canceled => "canceled",
    }
}
