//! What comes back from attempts: reports, failures, and silence.

use super::Auditor;
use crate::history::{History, Published, object_key};
use crate::{bills, fleet, garbage, risk, standing};
use mayfly_protocol::{AttemptId, EpochMs, Failure, Meter, TaskReport};
use std::rc::Rc;

impl Auditor {
    /// A report was handed to the scheduler, perhaps not for the first time.
    pub fn reported(&mut self, now: EpochMs, report: &Rc<TaskReport>, meter: &Meter) {
        let attempt = &report.attempt;
        self.pass_time(now);
        self.copied = None;
        if self.lands(attempt) {
            self.width.answered();
        }
        self.end(attempt, now);
        let Some(history) = self.queries.get_mut(&attempt.query) else {
            return;
        };
        if !history.is_over() {
            self.alive_at = Some(now);
            history.failing_since = None;
        }
        bills::deliver(history, attempt, meter);
        history.reported_at = Some(now);
        let Some(spec) = history.spec_of(attempt) else {
            return;
        };
        // A report that is not an answer to its spec publishes nothing.
        let is_whole = report.output.partitions.len() == spec.output.partitions as usize;
        if is_whole && report.pin_digest == spec.pin_digest {
            publish(history, report, meter, now);
        } else {
            history.malformed.extend(object_key(&report.output).cloned());
            let message = "malformed report".to_owned();
            history.note_failure(attempt, Failure::Broken { message }, now);
        }
        history.answer(attempt);
    }

    /// A failure was handed to the scheduler, perhaps not for the first time.
    pub fn failed(&mut self, now: EpochMs, attempt: &AttemptId, failure: &Failure, meter: &Meter) {
        self.pass_time(now);
        self.copied = None;
        self.fall(attempt, failure, now);
        self.end(attempt, now);
        let Some(history) = self.queries.get_mut(&attempt.query) else {
            return;
        };
        bills::deliver(history, attempt, meter);
        if let Failure::InputLost { producer, key, .. } = failure {
            standing::note_loss(history, attempt, *producer, key);
            history.lose(attempt, *producer, key);
        }
        history.note_failure(attempt, failure.clone(), now);
        history.answer(attempt);
    }

    pub(super) fn expire(&mut self, now: EpochMs) {
        if now < self.expires_from {
            return;
        }
        let expired = self.open.iter().filter(|(_, expires)| **expires <= now);
        let mut expired: Vec<(EpochMs, AttemptId)> =
            expired.map(|(attempt, expires)| (*expires, attempt.clone())).collect();
        expired.sort();
        let later = self.open.values().filter(|expires| **expires > now);
        self.expires_from = later.min().copied().unwrap_or(EpochMs(u64::MAX));
        for (expires, attempt) in expired {
            let message = String::new();
            self.fall(&attempt, &Failure::EnvironmentLost { message }, expires);
            self.end(&attempt, expires);
            if let Some(history) = self.queries.get_mut(&attempt.query) {
                bills::expire(history, &attempt, expires);
            }
        }
    }

    /// An attempt in flight of a query that runs has failed: what that says of slots and of the fleet.
    fn fall(&mut self, attempt: &AttemptId, failure: &Failure, at: EpochMs) {
        if !self.lands(attempt) {
            return;
        }
        let Some(history) = self.queries.get_mut(&attempt.query) else {
            return;
        };
        let launched = history.launch_mut(attempt).map(|launch| launch.launched);
        match (failure, launched) {
            (Failure::Throttled { .. }, Some(launched)) => self.width.throttled(at, launched),
            (Failure::Unreachable { .. }, _) => {}
            _ => self.width.answered(),
        }
        history.is_long |= self.short.contains(attempt) && matches!(failure, Failure::TimedOut { .. });
        if fleet::is_silent(failure) {
            history.failing_since.get_or_insert(at);
        } else {
            history.failing_since = None;
            self.alive_at = Some(at);
        }
    }

    /// Whether it is in flight, for a query that runs here as it did when the attempt was launched.
    fn lands(&self, attempt: &AttemptId) -> bool {
        let history = self.queries.get(&attempt.query);
        let runs = |history: &History| !history.is_over() && history.epoch == attempt.epoch;
        self.open.contains_key(attempt) && history.is_some_and(runs)
    }

    /// An attempt is no longer in flight.
    fn end(&mut self, attempt: &AttemptId, at: EpochMs) {
        self.open.remove(attempt);
        self.short.remove(attempt);
        self.brief.remove(attempt);
        self.note_idleness(at);
    }
}

fn publish(history: &mut History, report: &Rc<TaskReport>, meter: &Meter, now: EpochMs) {
    let attempt = &report.attempt;
    standing::note_report(history, report);
    garbage::note(history, attempt.task, &report.output);
    if history.is_over() {
        // Winners, too, are given up when they are heard of once more.
        object_key(&report.output).map(|key| history.first.remove(key));
    } else if !history.heard.insert(attempt.task) {
        // Whoever came first is the winner.
    } else if attempt.epoch != history.epoch {
        history.unsure.insert(attempt.task.stage);
    } else {
        history.first.extend(object_key(&report.output).cloned());
        risk::note(history, report, meter);
        history.note_first_report(attempt, now);
    }
    history.publish(Published(report.clone()));
}
