//! A modelled coordinator: a scheduler, a clock that may be wrong, the queries that it believes to own, and the records that it is
//! writing. As thin as the real driver; all that it does is in `world`.

use mayfly_auditor::Auditor;
use mayfly_protocol::journal::{Outcome, Record};
use mayfly_protocol::{AttemptId, EpochMs, Failure, Meter, QueryId, TaskReport};
use mayfly_schedule::Scheduler;
use mayfly_schedule::journal::{Appender, Standing};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where news goes to: one life of one coordinator. The next life knows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub coordinator: usize,
    pub life: u32,
}

/// What reaches a coordinator.
#[derive(Debug)]
pub(crate) enum News {
    Report {
        report: Rc<TaskReport>,
        meter: Meter,
    },
    Fail {
        attempt: AttemptId,
        failure: Failure,
        meter: Meter,
    },
    /// It is time to put a record again.
    PutAgain {
        write: u64,
    },
    PutAnswered {
        write: u64,
        answer: Answer,
    },
    /// It is time to read a record back.
    ReadBack {
        write: u64,
    },
    /// Half a lease has passed.
    Beat {
        query: usize,
        epoch: u32,
    },
    /// Nothing of a query that ended here can be written any more.
    Sweep {
        query: usize,
    },
    /// The objects of a query that was claimed are listed and their footers read.
    Listed {
        query: usize,
        epoch: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Created,
    Exists,
    Conflict,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Up,
    Paused { until: EpochMs },
    Down,
}

pub(crate) struct Coordinator {
    pub number: usize,
    pub life: u32,
    pub condition: Condition,
    pub offset_ms: i64,
    local: EpochMs,
    pub scheduler: Scheduler,
    pub auditor: Auditor,
    /// By position among the seed's queries.
    pub owned: BTreeMap<usize, Owned>,
    pub writes: BTreeMap<u64, Write>,
    writes_begun: u64,
}

/// A query that the coordinator believes to own, or is about to.
pub(crate) struct Owned {
    pub id: QueryId,
    pub epoch: u32,
    /// Names this ownership in the journal.
    pub writer: String,
    pub phase: Phase,
    /// Number of the next record.
    pub next: u32,
    pub is_writing: bool,
    pub written_at: EpochMs,
    pub journal_due: bool,
    pub beat_due: bool,
    /// How it ended, until that is durable.
    pub end: Option<(Outcome, Meter)>,
}

/// How far an ownership is.
pub(crate) enum Phase {
    Accepting,
    Claiming(Box<Standing>),
    Listing(Box<Standing>),
    Running,
}

/// A record on its way, and why.
pub(crate) struct Write {
    pub query: usize,
    pub purpose: Purpose,
    pub record: Rc<Record>,
    pub appender: Appender,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Accept,
    Claim,
    Entries,
    Beat,
    End,
    /// A client's cancel of a query that is another's.
    Cancel,
}

impl Coordinator {
    pub fn new(number: usize, scheduler: Scheduler, auditor: Auditor) -> Coordinator {
        Coordinator {
            number,
            life: 0,
            condition: Condition::Up,
            offset_ms: 0,
            local: EpochMs(0),
            scheduler,
            auditor,
            owned: BTreeMap::new(),
            writes: BTreeMap::new(),
            writes_begun: 0,
        }
    }

    pub fn address(&self) -> Address {
        Address {
            coordinator: self.number,
            life: self.life,
        }
    }

    /// Its own time. Never runs backwards: who owns a clock that was set back waits until it has caught up.
    pub fn local(&mut self, now: EpochMs) -> EpochMs {
        let shown = EpochMs(now.0.saturating_add_signed(self.offset_ms));
        self.local = self.local.max(shown);
        self.local
    }

    /// When its scheduler wants to be woken, by the true clock.
    pub fn wakes_at(&self) -> Option<EpochMs> {
        if self.condition != Condition::Up {
            return None;
        }
        let at = self.scheduler.poll_timeout()?;
        // A clock that was set back still shows what it had shown.
        if at <= self.local {
            return Some(EpochMs(0));
        }
        Some(EpochMs(at.0.saturating_add_signed(-self.offset_ms)))
    }

    pub fn begin_write(&mut self, write: Write) -> u64 {
        self.writes_begun += 1;
        self.writes.insert(self.writes_begun, write);
        self.writes_begun
    }

    /// A name that no other ownership has.
    pub fn writer(&self, now: EpochMs) -> String {
        format!("c{}.{}@{}", self.number, self.life, now.0)
    }

    pub fn runs(&self, query: usize) -> bool {
        let owned = self.owned.get(&query);
        owned.is_some_and(|owned| matches!(owned.phase, Phase::Running))
    }
}
