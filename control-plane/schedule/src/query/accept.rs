//! A report came. The first one whose pins are current wins its task; every other changes nothing and is metered.

use super::{Query, discard};
use crate::attempt::Attempt;
use crate::bind;
use crate::core::Core;
use crate::pin_digest;
use crate::progress;
use crate::task::{Phase, TaskKey, Winner};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{
    AttemptId, ErrorCode, Failure, Meter, Output, OutputLocation, QueryError, TaskReport, TenantId, key,
};

/// Why a report does not win.
enum Refusal {
    /// The winner's own report again, or that of an object that is gone already.
    Known,
    /// Its object is nobody's.
    Garbage,
    /// It is not an answer to its spec.
    Malformed(&'static str),
}

impl Query {
    pub fn report(
        &mut self,
        core: &mut Core,
        attempt: &AttemptId,
        report: TaskReport,
        meter: Meter,
    ) -> Option<Outcome> {
        self.meter(attempt, meter);
        let landed = self.land(core, attempt);
        if landed.is_some() {
            core.admission.answered();
        }
        self.show_life(core);
        let at = self.task_key(attempt.task)?;
        let flight = landed.map(|(_, flight)| flight);
        match self.judge_report(core, at, attempt, flight.as_ref(), &report) {
            Ok(()) => self.win(core, at, attempt, report),
            Err(Refusal::Known) => None,
            Err(Refusal::Garbage) => {
                self.task_mut(at).gone.push(report.nonce);
                discard(core, attempt.clone(), report.output);
                None
            }
            Err(Refusal::Malformed(why)) => self.malformed(core, at, flight, why),
        }
    }

    fn judge_report(
        &self,
        core: &mut Core,
        at: TaskKey,
        attempt: &AttemptId,
        flight: Option<&Attempt>,
        report: &TaskReport,
    ) -> Result<(), Refusal> {
        let counters = &mut core.counters;
        if let Some(why) = self.malformation(&core.settings.tenant, at, attempt, report) {
            counters.malformed_reports += 1;
            return Err(Refusal::Malformed(why));
        }
        let task = self.task(at);
        let winner = task.winner.as_ref().map(|winner| winner.nonce);
        if winner == Some(report.nonce) {
            counters.duplicate_reports += 1;
            return Err(Refusal::Known);
        }
        if task.gone.contains(&report.nonce) {
            counters.gone_reports += 1;
            return Err(Refusal::Known);
        }
        if winner.is_some() || task.phase == Phase::Skipped {
            counters.losing_reports += 1;
            return Err(Refusal::Garbage);
        }
        let current = flight.filter(|flight| self.is_current(at, flight));
        match current {
            Some(flight) if flight.pin != report.pin_digest => {
                counters.malformed_reports += 1;
                Err(Refusal::Malformed("it is pinned to inputs that it was not given"))
            }
            Some(_) => Ok(()),
            None if self.has_pins(at, report) => {
                counters.accepted_late += 1;
                Ok(())
            }
            None => {
                counters.stale_reports += 1;
                Err(Refusal::Garbage)
            }
        }
    }

    /// What is checked before anything is believed: the executor runs in another process, perhaps of another version.
    fn malformation(
        &self,
        tenant: &TenantId,
        at: TaskKey,
        attempt: &AttemptId,
        report: &TaskReport,
    ) -> Option<&'static str> {
        let output = &report.output;
        if report.attempt != *attempt {
            return Some("it reports another attempt");
        }
        if output.partitions.len() != self.stages[at.stage].planned.output.partitions as usize {
            return Some("it has the wrong number of partitions");
        }
        match &output.location {
            OutputLocation::Inline { bytes } if bytes.len() as u64 != output.len_bytes() => {
                Some("its inline bytes are not as long as its index says")
            }
            OutputLocation::Object { key, .. } if *key != key::output(tenant, attempt, report.nonce) => {
                Some("its object has another name than its spec asked for")
            }
            _ => None,
        }
    }

    /// Of an attempt that was given up or of another epoch: nothing remembers its pins, so they are computed again.
    fn has_pins(&self, at: TaskKey, report: &TaskReport) -> bool {
        self.is_open(at.stage) && pin_digest(&bind::inputs(self, at)) == report.pin_digest
    }

    fn malformed(&mut self, core: &mut Core, at: TaskKey, flight: Option<Attempt>, why: &str) -> Option<Outcome> {
        let failure = Failure::Broken {
            message: format!("the executor's report was refused: {why}"),
        };
        flight.and_then(|flight| self.judge_failure(core, at, &flight, &failure))
    }

    fn win(&mut self, core: &mut Core, at: TaskKey, attempt: &AttemptId, report: TaskReport) -> Option<Outcome> {
        core.counters.accepted += 1;
        self.enter(core, at, Phase::Done);
        let stage = &mut self.stages[at.stage];
        progress::add(&mut stage.statistics, &report.statistics);
        stage.rows_out += report.output.rows();
        stage.bytes_out += report.output.len_bytes();
        let task = &mut stage.tasks[at.task];
        let differs = task
            .previous
            .take()
            .is_some_and(|previous| previous != report.output.partitions);
        task.winner = Some(Winner::new(report.nonce, attempt.number, attempt.epoch, report.output));
        task.elapsed_ms = u32::try_from(report.statistics.elapsed_ms).unwrap_or(u32::MAX);
        if differs {
            self.invalidate_consumers(core, at.stage);
        }
        self.too_many_rows(at.stage).or_else(|| self.advance(core, at.stage))
    }

    /// The result is known to be too large before it is complete.
    fn too_many_rows(&self, stage: usize) -> Option<Outcome> {
        let most = self.limits.result_rows_max.filter(|_| stage + 1 == self.stages.len())?;
        let root = &self.stages[stage];
        // Of lost winners too, and therefore only a reason to look closer.
        if root.rows_out <= most {
            return None;
        }
        let winners = root.tasks.iter().filter_map(|task| task.winner.as_ref());
        let rows: u64 = winners.map(|winner| winner.output.rows()).sum();
        (rows > most).then(|| {
            let message = format!("the result has more than {most} rows");
            let error = QueryError::new(ErrorCode::ExceededRowLimit, message);
            Outcome::Failed {
                error: error.hint("add a LIMIT, or raise the session property max_result_rows"),
            }
        })
    }

    /// A complete stage opens its consumers; a complete root stage ends the query.
    fn advance(&mut self, core: &mut Core, stage: usize) -> Option<Outcome> {
        if self.stages[stage].has_enough() {
            self.skip_rest(core, stage);
        } else if self.stages[stage].open_more() {
            self.open(core, stage);
        }
        if !self.stages[stage].is_complete() {
            return None;
        }
        self.stages[stage].measure_skew();
        self.take_alternatives(core, stage);
        let consumers = self.stages[stage].consumers.clone();
        let held = self.held_by(stage);
        consumers
            .into_iter()
            .chain(held)
            .for_each(|stage| self.open(core, stage));
        (stage + 1 == self.stages.len()).then(|| self.outcome())
    }

    /// What has not won need not: attempts in flight go on, and their reports are garbage.
    fn skip_rest(&mut self, core: &mut Core, stage: usize) {
        for task in 0..self.stages[stage].tasks.len() {
            let at = TaskKey { stage, task };
            if self.task(at).phase != Phase::Done {
                core.counters.skipped += 1;
                self.enter(core, at, Phase::Skipped);
            }
        }
    }

    fn outcome(&self) -> Outcome {
        let root = self.stages.last().expect("a checked graph has a stage");
        let outputs = root.tasks.iter().map(|task| {
            let winner = task.winner.as_ref().expect("the root stage is complete");
            winner.output.clone()
        });
        let outputs: Vec<Output> = outputs.collect();
        Outcome::Finished {
            root: root.id(),
            outputs,
        }
    }
}
