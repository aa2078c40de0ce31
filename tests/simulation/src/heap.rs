//! The event heap: what will happen, by time, and within one millisecond in the order in which it was arranged.

use crate::coordinator::{Address, News};
use crate::executor::Execution;
use crate::mishaps::Mishap;
use mayfly_protocol::journal::Record;
use mayfly_protocol::{EpochMs, TaskReport};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::sync::Arc;

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
        key: Arc<str>,
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

#[derive(Debug, Default)]
pub(crate) struct Heap {
    /// When, in which order, and in which slot. What happens is large and stays where it is.
    times: BinaryHeap<Reverse<(EpochMs, u64, usize)>>,
    slots: Vec<Option<Happening>>,
    free: Vec<usize>,
    arranged: u64,
}

impl Heap {
    pub fn arrange(&mut self, at: EpochMs, happening: Happening) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(happening);
        self.times.push(Reverse((at, self.arranged, slot)));
        self.arranged += 1;
    }

    pub fn next(&self) -> Option<EpochMs> {
        self.times.peek().map(|Reverse((at, ..))| *at)
    }

    pub fn pop(&mut self) -> Option<(EpochMs, Happening)> {
        let Reverse((at, _, slot)) = self.times.pop()?;
        self.free.push(slot);
        let happening = self.slots[slot].take();
        Some((at, happening.expect("each slot happens once")))
    }
}
