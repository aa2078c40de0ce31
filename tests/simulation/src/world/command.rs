//! Carries out a scheduler's commands, after the auditor has seen them.

use super::{LEASE_MS, Step, World, moment, text};
use crate::coordinator::Condition;
use crate::heap::Happening;
use crate::oracle;
use mayfly_protocol::journal::{Entry, Outcome, Record};
use mayfly_protocol::{Alternative, AttemptId, Meter, Output, QueryId, StageId, TaskSpec, TaskTemplate};
use mayfly_schedule::{Command, Usage};
use std::collections::BTreeMap;
use std::rc::Rc;

impl World<'_> {
    pub(super) fn drain(&mut self, c: usize) -> Step {
        if self.coordinators[c].condition != Condition::Up {
            return Ok(());
        }
        while let Some(command) = self.coordinators[c].scheduler.poll_command() {
            match command {
                Command::PutPlan { key, .. } => {
                    self.trace.note(self.now, format_args!("  > put {key}"));
                    self.coverage.hit("branch plan put");
                }
                Command::Regrouped { query, stage, tasks } => self.regroup(c, &query, stage, tasks)?,
                Command::Switched { query, alternative } => self.switch(c, &query, &alternative)?,
                Command::Journal { query } => {
                    self.coordinators[c].auditor.asked_to_journal(&query);
                    let query = self.by_id[&query];
                    if let Some(owned) = self.coordinators[c].owned.get_mut(&query) {
                        owned.journal_due = true;
                    }
                    self.pump(c, query);
                }
                Command::Invoke { spec, .. } => self.invoke(c, *spec)?,
                Command::Finish {
                    query, outcome, usage, ..
                } => self.finish(c, &query, outcome, usage)?,
                Command::Late {
                    attempt, meter, output, ..
                } => self.late(c, &attempt, meter, output)?,
                Command::Discard { attempt, output, .. } => self.discard(c, &attempt, &output)?,
            }
        }
        Ok(())
    }

    /// When nothing will happen any more: everything has ended, and what was billed is priced.
    pub(super) fn judge_the_end(&mut self) -> Step {
        for c in 0..self.coordinators.len() {
            let local = self.local(c);
            let coordinator = &mut self.coordinators[c];
            coordinator.auditor.ended(local).map_err(text)?;
            if !coordinator.scheduler.is_idle() || coordinator.scheduler.in_flight() > 0 {
                return Err(self.say(&format!("the scheduler of c{c} still holds something")));
            }
        }
        for planned in &self.queries {
            let limit = self.mishaps.ends_by(planned.deadline, LEASE_MS);
            let verdict = self.chronicle.ended(self.now, &planned.id, limit);
            verdict.map_err(text)?;
            if planned.is_swept {
                let left = self.cloud.list(&planned.id);
                let verdict = self.chronicle.swept(self.now, &planned.id, &left);
                verdict.map_err(text)?;
            }
            let stages = planned.usage.stages.iter();
            let usage: BTreeMap<Option<StageId>, Meter> = stages.map(|(stage, meter)| (Some(*stage), *meter)).collect();
            let bill = mayfly_cost::bill(self.book, &usage);
            self.trace
                .note(self.now, format_args!("bill {} {}", planned.id, bill.total));
        }
        Ok(())
    }

    fn regroup(&mut self, c: usize, query: &QueryId, stage: StageId, tasks: Vec<TaskTemplate>) -> Step {
        self.trace.note(
            self.now,
            format_args!("  > regroup {query}/{stage} {} tasks", tasks.len()),
        );
        let local = self.local(c);
        let coordinator = &mut self.coordinators[c];
        let verdict = coordinator.auditor.regrouped(local, query, stage, &tasks);
        verdict.map_err(text)
    }

    fn switch(&mut self, c: usize, query: &QueryId, taken: &Alternative) -> Step {
        self.trace
            .note(self.now, format_args!("  > switch {query}/{}", taken.stage.id));
        let local = self.local(c);
        let coordinator = &mut self.coordinators[c];
        let verdict = coordinator.auditor.switched(local, query, taken);
        verdict.map_err(text)
    }

    fn invoke(&mut self, c: usize, spec: TaskSpec) -> Step {
        let spec = Rc::new(spec);
        let (attempt, size_mb) = (&spec.attempt, spec.size.memory_mb());
        self.trace
            .note(self.now, format_args!("  > invoke {attempt} {size_mb} MB"));
        let local = self.local(c);
        self.coordinators[c].auditor.invoked(local, &spec).map_err(text)?;
        self.chronicle.launched(self.now, &spec).map_err(text)?;
        let modelled = &self.queries[self.by_id[&attempt.query]].modelled;
        let nature = modelled.natures[attempt.task.stage.index as usize];
        let to = self.coordinators[c].address();
        let mut moment = moment(self.now, &mut self.streams, &mut self.heap, &mut self.coverage);
        self.cloud.invoke(spec, to, nature, &mut moment);
        Ok(())
    }

    fn finish(&mut self, c: usize, query: &QueryId, outcome: Outcome, usage: Usage) -> Step {
        self.trace
            .note(self.now, format_args!("  > finish {query} {}", ending(&outcome)));
        let local = self.local(c);
        let coordinator = &mut self.coordinators[c];
        let graph = coordinator.auditor.graph(query);
        let verdict = coordinator.auditor.finished(local, query, &outcome, &usage.stages);
        verdict.map_err(text)?;
        if coordinator.auditor.knows_all(query) {
            self.coverage.hit("branch judged by every rule");
        }
        let at = self.by_id[query];
        let meter = usage.total();
        self.queries[at].usage = usage;
        let owned = self.coordinators[c].owned.get_mut(&at);
        let owned = owned.ok_or_else(|| format!("{query}: ended where it is not owned"))?;
        let modelled = &self.queries[at].modelled;
        if let Outcome::Finished { outputs, .. } = &outcome
            && let Some(right) = graph.and_then(|graph| oracle::answer(&modelled.natures, &graph))
        {
            if outputs.iter().map(|output| &output.partitions).ne(&right) {
                return Err(self.say(&format!("{query}: a wrong answer")));
            }
            self.coverage.hit("end answer equals the oracle's");
        }
        owned.end = Some((outcome, meter));
        if self.goes_wrong("fault canceled at the end", self.mishaps.canceled_at_end) {
            self.heap.arrange(self.now, Happening::Cancel { query: at });
        }
        self.pump(c, at);
        Ok(())
    }

    /// Counts how queries end, each once.
    pub(super) fn note_end(&mut self, record: &Record) {
        for entry in &record.entries {
            if let Entry::Final { outcome, .. } = entry {
                self.coverage.hit_end(ending(outcome));
            }
        }
    }

    fn late(&mut self, c: usize, attempt: &AttemptId, meter: Meter, output: Option<Output>) -> Step {
        self.trace.note(self.now, format_args!("  > late {attempt}"));
        let local = self.local(c);
        let auditor = &mut self.coordinators[c].auditor;
        let verdict = auditor.late(local, attempt, &meter, output.as_ref());
        verdict.map_err(text)?;
        let planned = &mut self.queries[self.by_id[&attempt.query]];
        planned.usage.add(attempt.task.stage, meter);
        if let Some(output) = output {
            self.cloud.delete(&output);
        }
        Ok(())
    }

    fn discard(&mut self, c: usize, attempt: &AttemptId, output: &Output) -> Step {
        self.trace.note(self.now, format_args!("  > discard {attempt}"));
        let local = self.local(c);
        let verdict = self.coordinators[c].auditor.discarded(local, attempt, output);
        verdict.map_err(text)?;
        self.cloud.delete(output);
        Ok(())
    }
}

fn ending(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Finished { .. } => "finished",
        Outcome::Failed { error } => error.code.name(),
        Outcome::Canceled => "canceled",
    }
}
