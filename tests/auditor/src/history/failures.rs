//! Failures that were seen, and which of them are held against their task.

use super::{History, Launch};
use crate::{again, turns};
use mayfly_protocol::{Alternative, AttemptId, EpochMs, Failure, TaskId};
use std::collections::BTreeSet;

impl History {
    /// A reader has found an output of the producer lost. Whoever was launched before the producer's latest attempt, or by another epoch,
    /// was given what may be the winner no more.
    pub fn lose(&mut self, reader: &AttemptId, producer: TaskId, key: &str) {
        let lost = self.lost.entry(producer).or_default();
        let launched = |task: TaskId| self.launches.get(task).and_then(|launches| launches.last());
        let made = launched(producer).map(|launch| launch.launched);
        let reader = self.launches.get(reader.task).and_then(|launches| {
            let launch = launches.get(reader.number as usize)?;
            (launch.attempt == *reader).then_some(launch.launched)
        });
        if reader.is_some_and(|reader| made.is_none_or(|made| made < reader)) {
            lost.insert(key.to_owned());
        }
    }

    /// The tasks of a changed stage are new ones.
    pub fn forget_losses(&mut self, taken: &Alternative) {
        let is_changed = |task: &TaskId| taken.changed().any(|changed| changed == task.stage);
        self.losses_before.retain(|task, _| !is_changed(task));
    }

    /// How often the task's output was lost, as far as it must be known.
    pub fn losses_of(&self, task: TaskId) -> usize {
        let before = self.losses_before.get(&task).copied().unwrap_or(0);
        before + self.lost.get(&task).map_or(0, BTreeSet::len)
    }

    /// Notes the first answer of an attempt, if it is a failure.
    pub fn note_failure(&mut self, attempt: &AttemptId, failure: Failure, now: EpochMs) {
        self.failed_at.get_or_insert(now);
        let is_moot = self.has_reported(attempt.task) || self.is_needless(attempt.task);
        let counts = attempt.epoch == self.epoch && !is_moot && !self.is_beside(attempt);
        let bounds = self.bounds;
        let Some(launch) = self.launch_mut(attempt).filter(|launch| launch.is_open()) else {
            return;
        };
        let transient = matches!(failure, Failure::Transient { .. });
        // It did not have the task's time.
        let is_over = turns::is_short(&bounds, launch) && matches!(failure, Failure::TimedOut { .. });
        launch.failure = Some(failure.clone());
        launch.counts = counts && !is_over;
        self.transient += usize::from(transient && counts);
        match (counts, is_over) {
            (true, false) => self.hold_against(attempt, &failure, now),
            (true, true) => self.again_at_once(attempt, &failure, now),
            (false, _) => {}
        }
    }

    fn again_at_once(&mut self, attempt: &AttemptId, failure: &Failure, now: EpochMs) {
        if let Some(again) = self.again.get_mut(attempt.task) {
            again.note(now, failure, 1, (0, 0));
        }
    }

    fn hold_against(&mut self, attempt: &AttemptId, failure: &Failure, now: EpochMs) {
        let launches = self.launches_of(attempt.task);
        let times = again::times(launches, failure);
        let failed = &launches[attempt.number as usize];
        let (spec, is_hopeless) = (failed.spec.clone(), again::is_hopeless(self, now, failed));
        let backoff_ms = (self.bounds.backoff_ms, self.bounds.idle_ms_max);
        let again = self.again.get_mut(attempt.task);
        let again = again.expect("what is in flight was launched");
        again.note(now, failure, times, backoff_ms);
        again.grow(failure, &spec);
        again.is_hopeless |= is_hopeless;
    }

    /// A copy beside the attempt that it is one of. When that has failed, the copy is the task's only attempt.
    fn is_beside(&self, attempt: &AttemptId) -> bool {
        let launches = self.launches_of(attempt.task);
        let copy = launches
            .get(attempt.number as usize)
            .and_then(|launch| launch.copy.as_ref());
        copy.is_some_and(|copy| launches[copy.of as usize].is_open())
    }

    /// Failures of a kind, over all attempts, expiries included.
    pub fn failures(&self, is: impl Fn(&Failure) -> bool) -> impl Iterator<Item = &Launch> {
        self.launches()
            .filter(move |launch| launch.failure.as_ref().is_some_and(&is))
    }
}
