//! One append at a time, as a machine without I/O: from what became of a PUT-if-absent it decides what comes next.
//!
//! ```text
//!            created                                    ──▶ Done
//!  PUT ──────409──────────────────────────────────────────▶ Retry
//!            412 or no answer ──▶ ReadBack ──absent─────────▶ Retry, the same bytes
//!                                          ──our record─────▶ Done
//!                                          ──a cancel───────▶ Next: the same bytes under the next number
//!                                          ──any other──────▶ Fenced
//! ```
//! A retry puts the very same record: the first PUT may still land, and what is durable must be what was meant.

use mayfly_protocol::journal::{Entry, Record};

/// A retry waits `RETRY_MS × 2^k`, capped.
const RETRY_MS: u64 = 50;
const RETRY_MS_MAX: u64 = 5_000;

/// On whose behalf a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Of who owns the query, or takes it over: any record of a rival ends that.
    Owner,
    /// Of somebody with a cancel, which may stand anywhere before the end.
    Guest,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put<'a> {
    Created,
    /// 412: the key is taken. By whom, its record says; it may be our own, from a PUT whose answer was lost.
    Exists,
    /// 409, or refused for now: nothing was written.
    Conflict,
    /// It may have landed, or may still; also of a read that had no answer.
    Unknown,
    /// Read back: there is no record.
    Absent,
    /// Read back: this one.
    Found(&'a Record),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The record is durable.
    Done,
    /// PUT the same record again under [`Appender::sequence`].
    Retry { after_ms: u64 },
    /// GET the record under [`Appender::sequence`].
    ReadBack { after_ms: u64 },
    /// A guest's cancel has taken the number: hear it, and PUT the same record under [`Appender::sequence`], which is the next.
    Next,
    /// The query is another's, or has ended: write nothing more.
    Fenced,
}

/// The writing end of one journal.
#[derive(Clone, Debug)]
pub struct Appender {
    role: Role,
    next: u32,
    tries: u32,
}

impl Appender {
    /// Appends from record number `next` on.
    pub fn new(role: Role, next: u32) -> Appender {
        Appender { role, next, tries: 0 }
    }

    /// Number of the record that is being appended, or will be next.
    pub fn sequence(&self) -> u32 {
        self.next
    }

    /// Judges what became of the latest request for `mine`.
    pub fn judge(&mut self, mine: &Record, put: Put<'_>) -> Step {
        match put {
            Put::Created => self.done(),
            Put::Exists if mutant!(ExistsIsWritten) => self.done(),
            Put::Exists if mutant!(BareExistsFences) => Step::Fenced,
            Put::Unknown if mutant!(UnknownIsWritten) => self.done(),
            Put::Found(record) if record == mine && !mutant!(OwnRecordFences) => self.done(),
            Put::Found(record) if self.fences(record) => Step::Fenced,
            Put::Found(_) => {
                self.advance();
                Step::Next
            }
            Put::Exists => Step::ReadBack { after_ms: 0 },
            Put::Unknown => Step::ReadBack {
                after_ms: self.backoff_ms(),
            },
            Put::Conflict | Put::Absent => {
                self.next += u32::from(mutant!(RetryNextNumber));
                Step::Retry {
                    after_ms: self.backoff_ms(),
                }
            }
        }
    }

    fn fences(&self, record: &Record) -> bool {
        let is_cancel = |entry: &Entry| matches!(entry, Entry::Cancel);
        let is_final = |entry: &Entry| matches!(entry, Entry::Final { .. });
        match self.role {
            Role::Owner if mutant!(OldEpochAppends) => false,
            Role::Owner if mutant!(CancelFences) => true,
            Role::Guest if mutant!(GuestGivesUp) => true,
            Role::Owner => !record.entries.iter().all(is_cancel),
            Role::Guest => record.entries.iter().any(is_final),
        }
    }

    fn done(&mut self) -> Step {
        self.advance();
        Step::Done
    }

    fn advance(&mut self) {
        self.next += 1;
        self.tries = 0;
    }

    fn backoff_ms(&mut self) -> u64 {
        let after_ms = (RETRY_MS << self.tries.min(16)).min(RETRY_MS_MAX);
        self.tries += 1;
        after_ms
    }
}
