//! Takes over a query from its journal and from the objects that its attempts left.
//!
//! The journal is replayed first: a winner in it counts if its task has none and its pins are those of the winners before it. A winner
//! whose object is gone does not count, nor then does what was computed from it; a change of stages that have winners does not count
//! either: it was made where an object could not be seen that is back now. Then everything found is offered as if it had just
//! been reported, producers before consumers. What is left runs.
//!
//! Of the attempts of earlier coordinators only the S3 requests of those that left an object are known, and billed here.

use super::Query;
use super::accept::Refusal;
use crate::core::Core;
use crate::task::{Phase, TaskKey};
use mayfly_protocol::journal::{Entry, Outcome, Won, WonOutput};
use mayfly_protocol::{
    AttemptId, ErrorCode, Meter, Nonce, QueryError, TaskId, TaskReport, TaskStatistics, TaskTemplate, key, reads_once,
};
use std::collections::BTreeMap;

/// By attempt and execution.
type Found = BTreeMap<(AttemptId, Nonce), TaskReport>;

/// What the journal says besides its winners.
#[derive(Default)]
struct Past {
    canceled: bool,
    /// Since the last winner.
    starts: u32,
}

impl Query {
    pub fn resume(&mut self, core: &mut Core, entries: Vec<Entry>, found: Vec<TaskReport>) -> Option<Outcome> {
        core.counters.resumed += 1;
        let found: Found = found
            .into_iter()
            .map(|report| ((report.attempt.clone(), report.nonce), report))
            .collect();
        self.meter_found(&found);
        let mut past = Past::default();
        for entry in entries {
            self.replay(core, entry, &found, &mut past);
        }
        self.forget_notes();
        let over = self.is_over(core, &past);
        over.or_else(|| self.follow(core)).or_else(|| {
            let outcome = self.offer_all(core, found);
            // What was found is progress, and the next start must see it.
            if outcome.is_none() {
                self.ask(core);
            }
            outcome
        })
    }

    fn is_over(&self, core: &mut Core, past: &Past) -> Option<Outcome> {
        if past.canceled {
            return Some(Outcome::Canceled);
        }
        if past.starts >= core.settings.starts_max && !mutant!(UnboundedStarts) {
            core.counters.starts_exhausted += 1;
            let text = format!("the query was started {} times, and no start got anywhere", past.starts);
            let error = QueryError::new(ErrorCode::GenericInternalError, text)
                .hint("look into the logs of the coordinators that were lost, then submit it again");
            return Some(Outcome::Failed { error });
        }
        (self.deadline <= core.now).then(|| Outcome::Failed {
            error: self.time_is_over(),
        })
    }

    fn replay(&mut self, core: &mut Core, entry: Entry, found: &Found, past: &mut Past) {
        match entry {
            Entry::Epoch { .. } => past.starts += 1,
            Entry::Won(won) => {
                past.starts *= u32::from(mutant!(StartsNeverReset));
                self.replay_win(core, *won, found);
            }
            Entry::Lost { task, nonce, why } => self.replay_loss(core, task, nonce, &why),
            Entry::Regrouped { stage, tasks } => {
                if let Some(at) = self.positions.get(&stage).copied() {
                    self.replay_regroup(at, tasks);
                }
            }
            Entry::Switched { alternative } => {
                if self.alternatives.contains(&alternative) && self.is_untouched(&alternative) {
                    self.take(core, *alternative);
                }
            }
            Entry::Cancel => past.canceled = !mutant!(ForgetCancelOnResume),
            Entry::Accepted(_) | Entry::Beat { .. } | Entry::Final { .. } => {}
        }
    }

    fn replay_regroup(&mut self, stage: usize, tasks: Vec<TaskTemplate>) {
        let state = &self.stages[stage];
        let is_untouched = state.planned.regroup.is_some() && state.count(Phase::Done) == 0;
        if is_untouched && self.read_inputs_once(stage, &tasks) && self.may_have(stage, &tasks) {
            self.regroup_again(stage, tasks);
        }
    }

    /// Whether the tasks were formed by inputs like those that the stage has.
    fn read_inputs_once(&self, stage: usize, tasks: &[TaskTemplate]) -> bool {
        reads_once(&self.stages[stage].planned, tasks, |id| self.written(id))
    }

    fn replay_win(&mut self, core: &mut Core, won: Won, found: &Found) {
        let Some(report) = report_of(won, found) else {
            core.counters.replayed_gone += 1;
            return;
        };
        let at = self.task_key(report.attempt.task);
        let Some(at) = at.filter(|at| self.may_win(core, *at, &report)) else {
            core.counters.replayed_void += 1;
            return;
        };
        core.counters.replayed += 1;
        self.crown(core, at, report);
        let stage = &mut self.stages[at.stage];
        stage.journaled += 1;
        let winner = stage.tasks[at.task].winner.as_mut().expect("it has just won");
        winner.is_journaled = true;
        if stage.has_enough() {
            self.skip_rest(core, at.stage);
        }
    }

    /// A task that seems not to be wanted may win: without winners that are gone, others had enough rows sooner than they had then.
    fn may_win(&self, core: &Core, at: TaskKey, report: &TaskReport) -> bool {
        let is_free = self.task(at).winner.is_none();
        let flaw = self.malformation(&core.settings.tenant, at, &report.attempt, report);
        let has_pins = || mutant!(ReplayVoid) || self.has_pins(at, report);
        (is_free || mutant!(ReplaySecondWinner)) && flaw.is_none() && has_pins()
    }

    fn replay_loss(&mut self, core: &mut Core, task: TaskId, nonce: Nonce, why: &str) {
        let Some(at) = self.task_key(task) else { return };
        let Some(winner) = self.task(at).winner.as_ref().filter(|winner| winner.nonce == nonce) else {
            return;
        };
        core.counters.replayed_lost += 1;
        let previous = Some(winner.output.partitions.clone());
        let is_lost = self.stands(at) && !mutant!(ForgetLosses);
        let task = self.task_mut(at);
        task.tries.output_lost += u32::from(is_lost);
        task.previous = previous;
        self.drop_winner(core, at, why);
        if self.stages[at.stage].has_enough() {
            self.skip_rest(core, at.stage);
        }
    }

    /// Whether the winner was computed from winners that stand: if such a one is none any more, it was lost itself, and did not fall
    /// with its inputs. How often a task may lose its output does not begin anew with each coordinator.
    fn stands(&self, at: TaskKey) -> bool {
        let winner = self.task(at).winner.as_ref();
        self.is_open(at.stage) && winner.is_some_and(|winner| self.has_current_pins(at, winner))
    }

    /// What follows from winners that are known: alternatives, tasks that may run, perhaps the end.
    fn follow(&mut self, core: &mut Core) -> Option<Outcome> {
        for stage in 0..self.stages.len() {
            while self.stages[stage].open_more() {}
            if self.stages[stage].is_complete() {
                self.stages[stage].measure_skew();
                self.take_alternatives(core, stage);
            }
        }
        (0..self.stages.len()).for_each(|stage| self.open(core, stage));
        let root = self.stages.len() - 1;
        self.too_many_rows(root).or_else(|| self.advance(core, root))
    }

    fn meter_found(&mut self, found: &Found) {
        for report in found.values() {
            let meter = Meter {
                s3: report.meter.s3,
                ..Meter::default()
            };
            self.metered.add(report.attempt.task.stage, meter);
        }
    }

    fn offer_all(&mut self, core: &mut Core, found: Found) -> Option<Outcome> {
        let mut found: Vec<TaskReport> = found.into_values().collect();
        let place = |report: &TaskReport| self.positions.get(&report.attempt.task.stage).copied();
        found.sort_by_key(|report| (place(report), report.attempt.clone(), report.nonce));
        let mut outcome = None;
        for report in found {
            outcome = outcome.or_else(|| self.offer(core, report));
        }
        outcome
    }

    fn offer(&mut self, core: &mut Core, report: TaskReport) -> Option<Outcome> {
        let attempt = report.attempt.clone();
        let verdict = match self.task_key(attempt.task) {
            Some(at) => self.judge_report(core, at, &attempt, None, &report).map(|()| at),
            None => Err(Refusal::Garbage),
        };
        match verdict {
            Ok(at) => {
                core.counters.found += 1;
                self.win(core, at, report, 0)
            }
            Err(Refusal::Known | Refusal::Malformed(_)) => None,
            Err(Refusal::Garbage) if self.may_count_later(&report) => {
                self.kept.push(report);
                None
            }
            Err(Refusal::Garbage) => {
                core.counters.found_losing += 1;
                if is_own(core, &report) {
                    self.discard(core, attempt, report.output);
                }
                None
            }
        }
    }
}

impl Query {
    /// What it was computed from is not there: an output that rode in a report, perhaps, and will be made again as it was.
    fn may_count_later(&self, report: &TaskReport) -> bool {
        let at = self.task_key(report.attempt.task);
        at.is_some_and(|at| self.task(at).winner.is_none() && !self.is_open(at.stage))
    }

    /// A stage has come to its end: what was found of its readers may count now. Before anything of them is launched.
    pub(super) fn offer_kept(&mut self, core: &mut Core) -> Option<Outcome> {
        if self.kept.is_empty() {
            return None;
        }
        let kept = std::mem::take(&mut self.kept);
        let mut outcome = None;
        for report in kept {
            match &outcome {
                None => outcome = self.offer(core, report),
                Some(_) => self.kept.push(report),
            }
        }
        outcome
    }

    /// At the end what was found and never counted is nobody's.
    pub fn discard_kept(&mut self, core: &mut Core) {
        for report in std::mem::take(&mut self.kept) {
            if is_own(core, &report) {
                self.discard(core, report.attempt, report.output);
            }
        }
    }
}

/// None if its object is gone.
fn report_of(won: Won, found: &Found) -> Option<TaskReport> {
    let place = (won.attempt.clone(), won.nonce);
    match won.output {
        WonOutput::Object { .. } => found.get(&place).filter(|report| won.is_of(report)).cloned(),
        WonOutput::Inline(output) => Some(TaskReport {
            attempt: won.attempt,
            nonce: won.nonce,
            output,
            pin_digest: won.pin_digest,
            meter: Meter::default(),
            statistics: TaskStatistics::default(),
        }),
    }
}

/// What is passed on for deletion lies where its attempt was told to write.
fn is_own(core: &Core, report: &TaskReport) -> bool {
    let own = key::output(&core.settings.tenant, &report.attempt, report.nonce);
    matches!(&report.output.location, mayfly_protocol::OutputLocation::Object { key, .. } if **key == *own)
}
