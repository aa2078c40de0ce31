//! The event heap: what will happen, by time, and within one millisecond in the order in which it was arranged.

use crate::coordinator::{Address, News};
use crate::executor::Execution;
use crate::mishaps::Mishap;
use mayfly_protocol::journal::Record;
use mayfly_protocol::{EpochMs, TaskReport};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::rc::Rc;

#[derive(Debug)]
pub(crate) enum Happening {
    /// A client submits its query, somewhere.
    Submit {
        query: usize,
    },
    /// A client asks how its query is, somewhere.
    Poll {
        query: usize,
    },
    /// A client wants its query no longer, and says so somewhere.
    Cancel {
        query: usize,
    },
    /// A lease message arrives, somewhere.
    Message {
        query: usize,
    },
    /// An executor begins: it reads its inputs as they are now.
    Begin {
        execution: Box<Execution>,
    },
    /// An executor's output is there, inline or as an object.
    Publish {
        report: Rc<TaskReport>,
    },
    /// An object is gone; or, damaged, its rows are, and its footer can still be read.
    LoseObject {
        key: String,
        damaged: bool,
    },
    /// A record reaches S3. Who waits for the answer is told, unless it is lost.
    Land {
        query: usize,
        sequence: u32,
        record: Rc<Record>,
        reply: Option<(Address, u64)>,
    },
    /// Something reaches a coordinator, if it lives.
    Deliver {
        to: Address,
        news: News,
    },
    Mishap {
        coordinator: usize,
        mishap: Mishap,
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
