//! The writing of records: one PUT at a time per query and owner. What follows from its outcome is the append machine's to say.

use super::{Step, World, text};
use crate::coordinator::{Address, Answer, Condition, News, Purpose, Write};
use crate::heap::Happening;
use crate::mishaps::{Mishap, draw_down_ms};
use mayfly_protocol::journal::{Entry, Record};
use mayfly_schedule::Event;
use mayfly_schedule::journal::{Appender, Put, Role, Step as Next};
use rand::Rng;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// How long a coordinator waits for S3.
const ANSWER_MS_MAX: u64 = 2_000;
/// How late a record can land that its writer gave up waiting for.
const SLOW_MS_MAX: u64 = 12_000;

/// What becomes of a PUT.
struct Fate {
    /// When it lands, if it does.
    lands_ms: Option<u64>,
    /// What its writer hears, and when; none for what S3 then says.
    answer: Option<(u64, Answer)>,
}

impl World<'_> {
    /// Begins to append what the owner has to say.
    pub(super) fn append(&mut self, c: usize, query: usize, purpose: Purpose, entries: Vec<Entry>) {
        let local = self.local(c);
        let owned = self.coordinators[c].owned.get_mut(&query).expect("owners append");
        owned.is_writing = true;
        owned.written_at = local;
        let record = Record {
            writer: owned.writer.clone(),
            written_at: local,
            entries,
            spent: None,
        };
        let appender = Appender::new(Role::Owner, owned.next);
        self.write(c, query, purpose, record, appender);
    }

    /// A cancel of somebody else's query.
    pub(super) fn append_cancel(&mut self, c: usize, query: usize, next: u32) {
        let record = Record {
            writer: format!("{} cancel", self.coordinators[c].writer(self.now)),
            written_at: self.local(c),
            entries: vec![Entry::Cancel],
            spent: None,
        };
        self.write(c, query, Purpose::Cancel, record, Appender::new(Role::Guest, next));
    }

    fn write(&mut self, c: usize, query: usize, purpose: Purpose, record: Record, appender: Appender) {
        let write = Write {
            query,
            purpose,
            record: Rc::new(record),
            appender,
        };
        let write = self.coordinators[c].begin_write(write);
        self.put(c, write);
    }

    /// Sends the record on its way, perhaps in vain.
    pub(super) fn put(&mut self, c: usize, write: u64) {
        let to = self.coordinators[c].address();
        if self.crashes_before_put(to) {
            return;
        }
        let fate = self.draw_fate();
        let Some(one) = self.coordinators[c].writes.get(&write) else {
            return;
        };
        if let Some(ms) = fate.lands_ms {
            let land = Happening::Land {
                query: one.query,
                sequence: one.appender.sequence(),
                record: one.record.clone(),
                reply: fate.answer.is_none().then_some((to, write)),
            };
            self.heap.arrange(self.now + Duration::from_millis(ms), land);
        }
        if let Some((ms, answer)) = fate.answer {
            self.send(to, ms, News::PutAnswered { write, answer });
        }
    }

    fn draw_fate(&mut self) -> Fate {
        let stream = &mut self.streams.coordination;
        let (there_ms, back_ms) = (stream.random_range(3..60), stream.random_range(2..30));
        let slow_ms = stream.random_range(ANSWER_MS_MAX..SLOW_MS_MAX);
        let silence = Some((ANSWER_MS_MAX, Answer::Unknown));
        let mishaps = self.mishaps;
        let (lands_ms, answer) = if self.goes_wrong("fault put conflict", mishaps.put_conflict) {
            (None, Some((there_ms + back_ms, Answer::Conflict)))
        } else if self.goes_wrong("fault put failed", mishaps.put_failed) {
            let refused = self.goes_wrong("fault put refused", 0.5);
            let answer = if refused { Answer::Conflict } else { Answer::Unknown };
            (None, Some((there_ms + back_ms, answer)))
        } else if self.goes_wrong("fault put unanswered", mishaps.put_unanswered) {
            (Some(there_ms), silence)
        } else if self.goes_wrong("fault put slow", mishaps.put_slow) {
            (Some(slow_ms), silence)
        } else {
            (Some(there_ms), None)
        };
        Fate { lands_ms, answer }
    }

    /// A record reaches S3, which takes the first of each number.
    pub(super) fn land(
        &mut self,
        query: usize,
        sequence: u32,
        record: &Rc<Record>,
        reply: Option<(Address, u64)>,
    ) -> Step {
        let is_new = self.shelf.put(query, sequence, record);
        let id = self.queries[query].id.clone();
        if is_new {
            let what = fmt::from_fn(|f| {
                record
                    .entries
                    .iter()
                    .try_for_each(|entry| write!(f, " {}", name(entry)))
            });
            let writer = &record.writer;
            self.trace
                .note(self.now, format_args!("{id} record {sequence} by {writer}:{what}"));
            let verdict = self.chronicle.appended(self.now, &id, sequence, record);
            verdict.map_err(text)?;
            self.note_end(record);
        } else {
            self.coverage.hit("branch number taken");
        }
        let Some((to, write)) = reply else { return Ok(()) };
        let answer = if is_new { Answer::Created } else { Answer::Exists };
        let back_ms = self.streams.coordination.random_range(2..30);
        self.send(to, back_ms, News::PutAnswered { write, answer });
        self.crash_at_write(to)
    }

    /// The record never leaves.
    fn crashes_before_put(&mut self, to: Address) -> bool {
        let crashes = self.goes_wrong("fault crash before a write", self.mishaps.crash_at_write);
        if crashes {
            let down_ms = draw_down_ms(&mut self.streams.coordination);
            self.arrange_mishap(to.coordinator, 0, Mishap::Crash { down_ms });
        }
        crashes
    }

    fn crash_at_write(&mut self, to: Address) -> Step {
        let coordinator = &self.coordinators[to.coordinator];
        let lives = coordinator.address() == to && coordinator.condition != Condition::Down;
        if !lives || !self.goes_wrong("fault crash at write", self.mishaps.crash_at_write) {
            return Ok(());
        }
        let down_ms = draw_down_ms(&mut self.streams.coordination);
        self.crash(to.coordinator, down_ms)
    }

    pub(super) fn answered(&mut self, c: usize, write: u64, answer: Answer) -> Step {
        let put = match answer {
            Answer::Created => Put::Created,
            Answer::Exists => Put::Exists,
            Answer::Conflict => Put::Conflict,
            Answer::Unknown => Put::Unknown,
        };
        self.judge(c, write, put)
    }

    pub(super) fn read_back(&mut self, c: usize, write: u64) -> Step {
        let Some(one) = self.coordinators[c].writes.get(&write) else {
            return Ok(());
        };
        let record = self.shelf.get(one.query, one.appender.sequence());
        if self.read_fails() {
            return self.judge(c, write, Put::Unknown);
        }
        match record {
            Some(record) => self.judge(c, write, Put::Found(&record)),
            None => self.judge(c, write, Put::Absent),
        }
    }

    pub(super) fn read_fails(&mut self) -> bool {
        self.goes_wrong("fault read failed", self.mishaps.read_failed)
    }

    fn judge(&mut self, c: usize, write: u64, put: Put<'_>) -> Step {
        let Some(one) = self.coordinators[c].writes.get_mut(&write) else {
            return Ok(());
        };
        let next = one.appender.judge(&one.record, put);
        let to = self.coordinators[c].address();
        match next {
            Next::Done => return self.written(c, write, put),
            Next::Retry { after_ms } => {
                self.coverage.hit("branch put again");
                self.send(to, after_ms, News::PutAgain { write });
            }
            Next::ReadBack { after_ms } => {
                let read_ms = after_ms + self.streams.coordination.random_range(4..60);
                self.send(to, read_ms, News::ReadBack { write });
            }
            Next::Next => self.passed(c, write, put),
            Next::Fenced => return self.lost(c, write),
        }
        Ok(())
    }

    /// Another coordinator's cancel was first.
    fn passed(&mut self, c: usize, write: u64, put: Put<'_>) {
        self.coverage.hit("branch record passed");
        let query = self.coordinators[c].writes[&write].query;
        let is_guest = self.coordinators[c].writes[&write].purpose == Purpose::Cancel;
        if let (false, Put::Found(record)) = (is_guest, put) {
            self.hear(c, query, record);
        }
        self.put(c, write);
    }

    fn written(&mut self, c: usize, write: u64, put: Put<'_>) -> Step {
        if matches!(put, Put::Found(_)) {
            self.coverage.hit("branch own record read back");
        }
        let Some(one) = self.coordinators[c].writes.remove(&write) else {
            return Ok(());
        };
        if one.purpose == Purpose::Cancel {
            return Ok(());
        }
        let owned = self.coordinators[c].owned.get_mut(&one.query);
        let owned = owned.expect("who appends owns until it is told otherwise");
        owned.next = one.appender.sequence();
        owned.is_writing = false;
        let id = owned.id.clone();
        match one.purpose {
            Purpose::Accept => self.start(c, one.query),
            Purpose::Claim => self.claimed(c, one.query),
            Purpose::Entries => {
                self.coordinators[c].auditor.journaled(&id);
                self.handle(c, Event::Journaled { query: id });
            }
            Purpose::Beat | Purpose::Cancel => {}
            Purpose::End => return self.concluded(c, one.query),
        }
        self.pump(c, one.query);
        Ok(())
    }

    fn lost(&mut self, c: usize, write: u64) -> Step {
        let Some(one) = self.coordinators[c].writes.remove(&write) else {
            return Ok(());
        };
        if one.purpose == Purpose::Cancel {
            self.coverage.hit("branch cancel too late");
            let id = &self.queries[one.query].id;
            return self.chronicle.cancel_given_up(self.now, id).map_err(text);
        }
        self.fenced(c, one.query, one.purpose)
    }

    pub(super) fn send(&mut self, to: Address, after_ms: u64, news: News) {
        let at = self.now + Duration::from_millis(after_ms);
        self.heap.arrange(at, Happening::Deliver { to, news });
    }
}

fn name(entry: &Entry) -> &'static str {
    match entry {
        Entry::Accepted(_) => "accepted",
        Entry::Epoch { .. } => "epoch",
        Entry::Beat { .. } => "beat",
        Entry::Regrouped { .. } => "regrouped",
        Entry::Switched { .. } => "switched",
        Entry::Won(_) => "won",
        Entry::Lost { .. } => "lost",
        Entry::Cancel => "cancel",
        Entry::Final { .. } => "final",
    }
}
