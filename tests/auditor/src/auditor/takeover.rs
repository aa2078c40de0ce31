//! Queries that come from other coordinators and go to them, and times in which this one saw nothing.

use super::Auditor;
use crate::bills;
use crate::chronicle::Inheritance;
use crate::history::History;
use mayfly_protocol::{EpochMs, Meter, QueryId, TaskReport};

impl Auditor {
    /// A query that others began was handed to the scheduler, with the footers of the objects that were found.
    pub fn resumed(&mut self, now: EpochMs, query: &QueryId, past: Inheritance, found: &[TaskReport]) {
        self.pass_time(now);
        self.copied = None;
        let strays = self.queries.remove(query).map(History::into_strays);
        let mut history = History::resumed(past, strays.unwrap_or_default(), &self.bounds);
        history.may_end_until = history.may_end_until.max(now);
        history.submitted_at = now;
        history.is_ordered = true;
        for report in found {
            let meter = Meter {
                s3: report.meter.s3,
                ..Meter::default()
            };
            bills::deliver(&mut history, &report.attempt, &meter);
        }
        self.queries.insert(query.clone(), history);
        self.note_idleness(now);
    }

    /// Whether all of the query was seen in its order and nothing of it was lost: every rule holds for it.
    pub fn knows_all(&self, query: &QueryId) -> bool {
        self.queries.get(query).is_some_and(History::is_plain)
    }

    /// The scheduler asks for its winners to be written.
    pub fn asked_to_journal(&mut self, query: &QueryId) {
        if let Some(history) = self.queries.get_mut(query) {
            history.risk.is_asked = true;
        }
    }

    /// The scheduler gave what it wants written.
    pub fn took_entries(&mut self, query: &QueryId) {
        if let Some(history) = self.queries.get_mut(query) {
            history.risk.take();
        }
    }

    /// The scheduler was told that this is durable.
    pub fn journaled(&mut self, query: &QueryId) {
        if let Some(history) = self.queries.get_mut(query) {
            history.risk.is_asked = false;
        }
    }

    /// The scheduler was told that the query is another's.
    pub fn fenced(&mut self, now: EpochMs, query: &QueryId) {
        self.pass_time(now);
        self.copied = None;
        if let Some(history) = self.queries.get_mut(query) {
            history.fenced = true;
        }
        self.note_idleness(now);
    }

    /// The coordinator stood still, or its clock jumped: nobody can be blamed for having waited.
    pub fn woke(&mut self, now: EpochMs) {
        self.slept = (now, self.seen);
        self.width.is_known = false;
        for history in self.queries.values_mut() {
            (history.is_ordered, history.is_whole) = (false, false);
        }
        self.expire(now);
        self.idle_since = None;
        self.note_idleness(now);
        let waiting = self.queries.values_mut().filter(|history| !history.is_over());
        waiting.for_each(|history| history.may_end_until = history.may_end_until.max(now));
    }
}
