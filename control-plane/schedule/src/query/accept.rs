//! A report came. The first one whose pins are current wins its task; every other changes nothing and is metered.

use super::Query;
use crate::attempt::Attempt;
use crate::bind;
use crate::core::Core;
use crate::progress;
use crate::task::{Phase, TaskKey, Winner};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{
    AttemptId, ErrorCode, Failure, Meter, Output, OutputLocation, QueryError, TaskReport, TenantId, key,
};

/// Why a report does not win.
pub(super) enum Refusal {
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
        if !mutant!(ForgetDuplicatesMeter) || self.flights().any(|(id, _)| id == *attempt) {
            self.meter(attempt, meter);
        }
        let landed = self.land(core, attempt);
        if landed.is_some() {
            core.admission.answered();
        }
        self.show_life(core);
        let at = self.task_key(attempt.task)?;
        let flight = landed.map(|(_, flight)| flight);
        match self.judge_report(core, at, attempt, flight.as_ref(), &report) {
            Ok(()) => {
                self.note_winner(core, at, attempt, flight.as_ref());
                let outcome = self.win(core, at, report, meter.billed_mb_ms);
                let is_complete = self.stages[at.stage].is_complete();
                outcome.or_else(|| is_complete.then(|| self.offer_kept(core)).flatten())
            }
            Err(Refusal::Known) => None,
            Err(Refusal::Garbage) => {
                self.task_mut(at).gone.push(report.nonce);
                if !mutant!(KeepLosersObject) {
                    self.discard(core, attempt.clone(), report.output);
                }
                None
            }
            Err(Refusal::Malformed(why)) => self.malformed(core, at, flight, why),
        }
    }

    pub(super) fn judge_report(
        &self,
        core: &mut Core,
        at: TaskKey,
        attempt: &AttemptId,
        flight: Option<&Attempt>,
        report: &TaskReport,
    ) -> Result<(), Refusal> {
        let counters = &mut core.counters;
        let malformation = self.malformation(&core.settings.tenant, at, attempt, report);
        if let Some(why) = malformation.filter(|_| !mutant!(AcceptMalformed)) {
            counters.malformed_reports += 1;
            return Err(Refusal::Malformed(why));
        }
        let task = self.task(at);
        let winner = task.winner.as_ref().map(|winner| winner.nonce);
        if winner == Some(report.nonce) {
            counters.duplicate_reports += 1;
            return Err(Refusal::Known);
        }
        if task.gone.contains(&report.nonce) && !mutant!(AcceptGone) {
            counters.gone_reports += 1;
            return Err(Refusal::Known);
        }
        let is_refused = mutant!(RefuseCopies) && flight.is_some_and(|flight| flight.is_copy);
        if (winner.is_some() && !mutant!(AcceptSecondWinner)) || task.phase == Phase::Skipped || is_refused {
            counters.losing_reports += 1;
            return Err(Refusal::Garbage);
        }
        let current = flight.filter(|flight| self.is_current(at, flight));
        match current {
            Some(flight) if flight.pin != report.pin_digest && !mutant!(IgnorePins) => {
                counters.malformed_reports += 1;
                Err(Refusal::Malformed("it is pinned to inputs that it was not given"))
            }
            Some(_) => Ok(()),
            None if self.has_pins(at, report) && !mutant!(RefuseLate) => {
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
    pub(super) fn malformation(
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
            OutputLocation::Object { key, .. } if **key != *key::output(tenant, attempt, report.nonce) => {
                Some("its object has another name than its spec asked for")
            }
            _ => None,
        }
    }

    /// Of an attempt that was given up or of another epoch: nothing remembers its pins, so they are computed again.
    pub(super) fn has_pins(&self, at: TaskKey, report: &TaskReport) -> bool {
        let has_pins = || bind::pin(self, at) == report.pin_digest;
        let is_found = mutant!(FoundWithoutPins) && report.attempt.epoch != self.epoch;
        self.is_open(at.stage) && (mutant!(AcceptStalePins) || is_found || has_pins())
    }

    fn malformed(&mut self, core: &mut Core, at: TaskKey, flight: Option<Attempt>, why: &str) -> Option<Outcome> {
        let failure = Failure::Broken {
            message: format!("the executor's report was refused: {why}"),
        };
        flight.and_then(|flight| self.judge_failure(core, at, &flight, &failure))
    }

    pub(super) fn win(
        &mut self,
        core: &mut Core,
        at: TaskKey,
        report: TaskReport,
        billed_mb_ms: u64,
    ) -> Option<Outcome> {
        core.counters.accepted += 1;
        self.crown(core, at, report);
        self.note_win(at, billed_mb_ms);
        self.watch(core, at.stage);
        let outcome = self.too_many_rows(at.stage).or_else(|| self.advance(core, at.stage));
        // At the end everything goes into the final record.
        if outcome.is_none() {
            self.ask_if_due(core);
        }
        outcome
    }

    /// The task has a winner: what was computed from a winner before it with other content falls.
    pub(super) fn crown(&mut self, core: &mut Core, at: TaskKey, report: TaskReport) {
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
        task.elapsed_ms = u32::try_from(report.statistics.elapsed_ms).unwrap_or(u32::MAX);
        task.winner = Some(Winner::new(report, stage.version));
        if differs && !mutant!(NoDigestComparison) {
            self.invalidate_consumers(core, at.stage);
        }
    }

    /// The result is known to be too large before it is complete.
    pub(super) fn too_many_rows(&self, stage: usize) -> Option<Outcome> {
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
    pub(super) fn advance(&mut self, core: &mut Core, stage: usize) -> Option<Outcome> {
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
    pub(super) fn skip_rest(&mut self, core: &mut Core, stage: usize) {
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
