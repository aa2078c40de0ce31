//! A winner's output is gone or corrupt. Its task runs again, and whoever reads it is pinned anew.
//!
//! Consumers that have won keep their winners while the output is made again: they read it whole and verified. If it comes out with
//! the same content nothing else changes. If it comes out different, everything that was computed from the old one, directly or not,
//! is dropped: a result must not mix two versions of one output.

use super::Query;
use crate::core::Core;
use crate::task::{Phase, TaskKey};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{ErrorCode, Failure, QueryError, TaskId};

impl Query {
    /// The producer whose winner a reader found lost; none if the reader cannot know or it is known already.
    pub(super) fn lost_producer(&self, reader: TaskKey, producer: TaskId, key: &str, current: bool) -> Option<TaskKey> {
        let at = self.task_key(producer)?;
        if !self.stages[reader.stage].inputs.contains(&at.stage) {
            return None;
        }
        // A current reader was given the winner that stands; a stale one must name it.
        let winner = self.task(at).winner.as_ref()?;
        (current || winner.key() == Some(key) || mutant!(BelieveStaleReaders)).then_some(at)
    }

    pub(super) fn lose(&mut self, core: &mut Core, producer: TaskKey, failure: &Failure) -> Option<Outcome> {
        core.counters.inputs_lost += 1;
        let task = self.task_mut(producer);
        task.tries.output_lost += u32::from(!mutant!(LossUncounted));
        if task.tries.output_lost > core.settings.input_lost_max {
            let error = self.lost_too_often(producer, failure);
            return Some(Outcome::Failed { error });
        }
        let winner = task.winner.as_ref().expect("a producer without winner is not lost");
        task.previous = Some(winner.output.partitions.clone());
        self.drop_winner(core, producer, &failure.to_string());
        // An attempt that was given up for lost, or was overtaken, may still be in flight on the same inputs.
        self.open(core, producer.stage);
        None
    }

    /// Drops every winner that was computed from the stage's outputs.
    pub(super) fn invalidate_consumers(&mut self, core: &mut Core, stage: usize) {
        for consumer in self.stages[stage].consumers.clone() {
            let mut dropped = false;
            for task in 0..self.stages[consumer].tasks.len() {
                let at = TaskKey { stage: consumer, task };
                // A winner that was lost is being made again, now from other inputs: those who read it are not worth waiting for.
                dropped |= !mutant!(KeepPrevious) && self.task_mut(at).previous.take().is_some();
                if self.task(at).phase == Phase::Done {
                    core.counters.invalidated += 1;
                    self.drop_winner(core, at, "its input came out different");
                    dropped = true;
                }
            }
            if dropped && !mutant!(KeepTransitiveConsumers) {
                self.invalidate_consumers(core, consumer);
            }
        }
    }

    pub(super) fn drop_winner(&mut self, core: &mut Core, at: TaskKey, why: &str) {
        let was_complete = self.stages[at.stage].is_complete();
        self.want_again(core, at.stage);
        let winner = self.task_mut(at).winner.take().expect("only winners are dropped");
        self.enter(core, at, Phase::Planned);
        self.note_loss(at, &winner, why);
        let stage = &mut self.stages[at.stage];
        stage.tasks[at.task].gone.push(winner.nonce);
        stage.rows_out -= if mutant!(KeepRowsOfLost) {
            0
        } else {
            winner.output.rows()
        };
        stage.bytes_out -= winner.output.len_bytes();
        let mut attempt = self.attempt(at, winner.number);
        attempt.epoch = winner.epoch;
        if !mutant!(KeepLostObject) {
            self.discard(core, attempt, winner.output);
        }
        for consumer in self.stages[at.stage].consumers.clone() {
            self.stages[consumer].version += u64::from(!mutant!(KeepVersion));
            // The consumers of an incomplete stage are closed already.
            if was_complete && !mutant!(KeepConsumersOpen) {
                self.close(core, consumer);
            }
        }
    }

    /// Without this winner there may be too few rows: what was skipped is wanted after all.
    fn want_again(&mut self, core: &mut Core, stage: usize) {
        for task in 0..self.stages[stage].tasks.len() {
            let at = TaskKey { stage, task };
            if self.task(at).phase == Phase::Skipped && !mutant!(KeepSkipped) {
                self.enter(core, at, Phase::Planned);
            }
        }
    }

    /// Calls back what was about to run; attempts in flight go on, stale.
    pub(super) fn close(&mut self, core: &mut Core, stage: usize) {
        for task in 0..self.stages[stage].tasks.len() {
            let at = TaskKey { stage, task };
            if !matches!(self.task(at).phase, Phase::Planned | Phase::Done | Phase::Skipped) {
                self.enter(core, at, Phase::Planned);
            }
        }
        self.unwatch(core, stage);
    }

    fn lost_too_often(&self, producer: TaskKey, failure: &Failure) -> QueryError {
        let text = format!(
            "the output of {} was lost {} times: {failure}",
            self.task_id(producer),
            self.task(producer).tries.output_lost
        );
        QueryError::new(ErrorCode::S3Error, text)
            .hint("check that nothing else deletes or rewrites objects under x/ in the control bucket")
    }
}
