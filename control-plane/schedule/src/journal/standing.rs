//! Where a query stands, by its records: who owns it, whether it has ended, and what a new owner must know.

use crate::Event;
use mayfly_protocol::journal::{Accepted, Entry, Outcome, Record};
use mayfly_protocol::{EpochMs, Meter, QueryId, TaskReport};
use std::time::Duration;

/// The fold over all records, in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub accepted: Option<Box<Accepted>>,
    /// Of the latest owner, and its name.
    pub epoch: u32,
    pub coordinator: String,
    /// The user wants it no longer.
    pub is_canceled: bool,
    /// How the query ended.
    pub end: Option<(Box<Outcome>, Box<Meter>)>,
    /// What the query had used, by the last record that says so. Attempts that were in flight then are not in it.
    pub spent: Meter,
    /// Number of the first record that there is not.
    pub next: u32,
    /// When the last record was written, by its writer's clock.
    pub written_at: EpochMs,
    /// What [`Event::Resumed`] wants to know.
    entries: Vec<Entry>,
}

/// What somebody who holds a lease message should think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has accepted such a query, or its journal is long gone.
    Unknown,
    Ended,
    /// Its owner was heard of; look again then.
    Owned {
        until: EpochMs,
    },
    /// Its owner was silent for a lease: whoever wants may take the next epoch.
    Orphan,
}

impl Standing {
    /// Takes in the next record.
    pub fn read(&mut self, record: Record) {
        self.next += 1;
        self.written_at = record.written_at;
        if let Some(spent) = record.spent {
            self.spent = *spent;
        }
        record.entries.into_iter().for_each(|entry| self.take(entry));
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Accepted(accepted) => self.accepted = Some(accepted),
            Entry::Epoch { epoch, ref coordinator } => {
                self.epoch = epoch;
                self.coordinator.clone_from(coordinator);
                self.entries.push(entry);
            }
            Entry::Beat { .. } => {}
            Entry::Cancel => {
                self.is_canceled = true;
                self.entries.push(entry);
            }
            Entry::Final { outcome, meter } => self.end = Some((outcome, meter)),
            other => self.entries.push(other),
        }
    }

    /// A record from further in the future than a lease comes from a clock that is of no use: taking over is always safe.
    pub fn state(&self, now: EpochMs, lease: Duration) -> State {
        let until = self.written_at.min(now) + lease;
        if self.accepted.is_none() {
            State::Unknown
        } else if self.end.is_some() {
            State::Ended
        } else if until <= now || self.written_at > now + lease {
            State::Orphan
        } else {
            State::Owned { until }
        }
    }

    /// What a resuming scheduler is told: all but acceptance, beats and the end.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What to append in order to own the query; it is owned when that is durable under number `next`.
    pub fn claim(&self, coordinator: &str) -> Vec<Entry> {
        vec![Entry::Epoch {
            epoch: self.epoch + u32::from(!mutant!(ClaimSameEpoch)),
            coordinator: coordinator.to_owned(),
        }]
    }

    /// The event for the scheduler of the new owner. `found` are the footers of all objects under the query's prefixes, read after
    /// the claim was durable; what cannot be read for good is left out. None if nobody has accepted the query.
    pub fn resumed(mut self, query: QueryId, found: Vec<TaskReport>) -> Option<Event> {
        if mutant!(ResumeWithoutLastEntry) {
            self.entries.pop();
        }
        let Accepted {
            request, limits, graph, ..
        } = *self.accepted?;
        Some(Event::Resumed {
            query,
            epoch: self.epoch + u32::from(!mutant!(ResumeSameEpoch)),
            graph,
            deadline: request.deadline,
            limits,
            entries: self.entries,
            found,
        })
    }
}
