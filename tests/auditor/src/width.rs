//! How many attempts may be in flight: all slots at first, half of them after throttling, and step by step all again; and none of them
//! stays free while somebody waits for one.
//!
//! What a coordinator saw in which order when it stood still, or when its clock was set, is not known: from then on nothing is said.

use crate::history::History;
use crate::violation::{Rule, must};
use mayfly_protocol::{EpochMs, TaskSpec};

/// So many rounds of answers lead from one slot to all.
const ROUNDS: u32 = 16;

#[derive(Debug)]
pub(crate) struct Width {
    max: u32,
    limit: u32,
    /// Since the limit last changed.
    answers: u32,
    halved_at: Option<EpochMs>,
    pub is_known: bool,
    /// The last moment after which time passed with a slot free.
    free_at: Option<EpochMs>,
}

impl Width {
    pub fn new(max: u32) -> Width {
        Width {
            max,
            limit: max,
            answers: 0,
            halved_at: None,
            is_known: true,
            free_at: None,
        }
    }

    /// An attempt launched then was refused. Those from before the last halving were sent at the old width.
    pub fn throttled(&mut self, now: EpochMs, launched: EpochMs) {
        if self.halved_at.is_none_or(|halved| halved <= launched) {
            self.limit = (self.limit / 2).max(1);
            self.answers = 0;
            self.halved_at = Some(now);
        }
    }

    pub fn answered(&mut self) {
        self.answers += 1;
        if self.answers >= self.limit {
            self.answers = 0;
            self.limit = (self.limit + self.max.div_ceil(ROUNDS)).min(self.max);
        }
    }

    /// Time goes on from `seen`, with so many in flight.
    pub fn note_slack(&mut self, seen: EpochMs, in_flight: usize) {
        if in_flight < self.limit as usize {
            self.free_at = Some(seen);
        }
    }

    /// Looked at when the launch is in flight.
    pub fn check(&self, in_flight: usize) -> Rule {
        must(in_flight <= self.max as usize, || {
            format!("{in_flight} attempts in flight, over {}", self.max)
        })?;
        must(!self.is_known || in_flight <= self.limit as usize, || {
            format!("{in_flight} attempts in flight, over {} after throttling", self.limit)
        })
    }

    /// A launch that was ready before the last moment with a free slot came too late.
    pub fn check_wait(&self, history: &History, spec: &TaskSpec) -> Rule {
        let Some(free_at) = self.free_at.filter(|_| self.is_known) else {
            return Ok(());
        };
        let is_late = ready_at(history, spec).is_some_and(|ready| ready <= free_at);
        must(!is_late, || format!("waited though a slot was free at {free_at}"))
    }
}

/// When the launch had nothing to wait for but a slot, at the latest; none if that is not known.
fn ready_at(history: &History, spec: &TaskSpec) -> Option<EpochMs> {
    let task = spec.attempt.task;
    let stage = history.graph.stage(task.stage)?;
    if !history.tells_failures(task) || stage.after.is_some() {
        return None;
    }
    if spec.attempt.number > 0 {
        return history.again.get(task).map(|again| again.ready_by);
    }
    let inputs = stage.inputs.iter().map(|input| history.complete_at(input.stage));
    inputs
        .chain([Some(history.submitted_at)])
        .try_fold(EpochMs(0), |latest, at| Some(latest.max(at?)))
}
