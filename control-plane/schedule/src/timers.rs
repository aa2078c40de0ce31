//! What shall happen when nothing else does. Entries are cancelled when they no longer matter, so every timeout is worth a wake-up.

use crate::task::TaskKey;
use mayfly_protocol::{AttemptId, EpochMs, QueryId};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The query's time is over.
    Deadline(QueryId),
    /// Look whether the query has seen anything but failures.
    Fleet(QueryId),
    /// A backoff has passed.
    Retry(QueryId, TaskKey),
    /// An attempt's answer is no longer awaited.
    Expiry(AttemptId),
    /// An attempt of the stage begins to straggle.
    Straggler(QueryId, usize),
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    entries: BTreeSet<(EpochMs, Timer)>,
}

impl Timers {
    pub fn set(&mut self, at: EpochMs, timer: Timer) {
        self.entries.insert((at, timer));
    }

    pub fn cancel(&mut self, at: EpochMs, timer: Timer) {
        self.entries.remove(&(at, timer));
    }

    pub fn next(&self) -> Option<EpochMs> {
        self.entries.first().map(|(at, _)| *at)
    }

    /// The earliest timer that is due.
    pub fn due(&mut self, now: EpochMs) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.entries.pop_first().map(|(_, timer)| timer)
    }
}
