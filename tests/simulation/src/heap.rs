//! The event heap: what will happen, by time, and within one millisecond in the order in which it was arranged.

use crate::executor::Execution;
use mayfly_protocol::{AttemptId, EpochMs, Failure, Meter, TaskReport};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

#[derive(Debug)]
pub(crate) enum Happening {
    Submit {
        query: usize,
    },
    /// An executor begins: it reads its inputs as they are now.
    Begin {
        execution: Box<Execution>,
    },
    Report {
        report: Box<TaskReport>,
        meter: Meter,
    },
    Fail {
        attempt: AttemptId,
        failure: Failure,
        meter: Meter,
    },
    LoseObject {
        key: String,
    },
}

#[derive(Debug)]
struct Entry {
    at: EpochMs,
    order: u64,
    happening: Happening,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Heap {
    entries: BinaryHeap<Reverse<Entry>>,
    arranged: u64,
}

impl Heap {
    pub fn arrange(&mut self, at: EpochMs, happening: Happening) {
        let order = self.arranged;
        self.arranged += 1;
        self.entries.push(Reverse(Entry { at, order, happening }));
    }

    pub fn next(&self) -> Option<EpochMs> {
        self.entries.peek().map(|entry| entry.0.at)
    }

    pub fn pop(&mut self) -> Option<(EpochMs, Happening)> {
        self.entries.pop().map(|Reverse(entry)| (entry.at, entry.happening))
    }
}
