//! Who may launch next: a bounded number of slots, shared by the queries in turn, fewer after throttling; and, while all of them are
//! taken, a few short turns beside them.
//!
//! Additive increase, multiplicative decrease: a throttled attempt halves the limit, once per round of launches; each limit's worth
//! of answers then raises it by a sixteenth of the maximum, so that full width is back after at most 16 rounds.

use crate::attempt::Turn;
use crate::task::TaskKey;
use mayfly_protocol::{EpochMs, QueryId};
use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Admission {
    max: u32,
    limit: u32,
    /// In slots.
    in_flight: u32,
    short_max: u32,
    /// In short turns.
    short: u32,
    /// Answers since the limit last changed.
    answers: u32,
    halved_at: Option<EpochMs>,
    /// Queries with tasks to launch, each once.
    turns: VecDeque<QueryId>,
    /// Tasks that want a copy if nobody else wants the slot.
    copies: VecDeque<(QueryId, TaskKey)>,
}

impl Admission {
    pub fn new(concurrency_max: u32, short_max: u32) -> Admission {
        let max = concurrency_max.max(1);
        Admission {
            max,
            limit: max,
            in_flight: 0,
            short_max,
            short: 0,
            answers: 0,
            halved_at: None,
            turns: VecDeque::new(),
            copies: VecDeque::new(),
        }
    }

    pub fn has_slot(&self) -> bool {
        self.in_flight < self.limit + u32::from(mutant!(OneSlotMore))
    }

    /// Only while no slot is free: what can wait for nothing needs no short turn.
    pub fn has_short_turn(&self) -> bool {
        !self.has_slot() && self.short < self.short_max
    }

    pub fn limit(&self) -> u32 {
        self.limit
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight + self.short
    }

    /// Takes its place at the end of the line.
    pub fn wait_turn(&mut self, query: QueryId) {
        self.turns.push_back(query);
    }

    pub fn next_turn(&mut self) -> Option<QueryId> {
        self.turns.pop_front()
    }

    /// The first in line that may have a short turn.
    pub fn next_short_turn(&mut self, may: impl Fn(&QueryId) -> bool) -> Option<QueryId> {
        let place = self.turns.iter().position(may)?;
        self.turns.remove(place)
    }

    pub fn wait_for_copy(&mut self, query: QueryId, task: TaskKey) {
        self.copies.push_back((query, task));
    }

    pub fn next_copy(&mut self) -> Option<(QueryId, TaskKey)> {
        self.copies.pop_front()
    }

    pub fn begin(&mut self, turn: Turn) {
        let is_free = match turn {
            Turn::Slot => self.has_slot(),
            Turn::Short => self.has_short_turn(),
        };
        assert!(is_free, "launches ask for a slot first");
        *self.held(turn) += 1;
    }

    pub fn end(&mut self, turn: Turn) {
        let held = self.held(turn);
        *held = held.checked_sub(1).expect("each attempt ends once");
    }

    fn held(&mut self, turn: Turn) -> &mut u32 {
        match turn {
            Turn::Slot => &mut self.in_flight,
            Turn::Short => &mut self.short,
        }
    }

    /// Attempts launched before the last halving tell nothing new: they were sent at the old width.
    pub fn throttled(&mut self, now: EpochMs, launched: EpochMs) {
        let is_news = self.halved_at.is_none_or(|halved| launched >= halved) || mutant!(NarrowEachTime);
        if is_news && !mutant!(NeverNarrow) {
            self.limit = (self.limit / 2).max(1);
            self.answers = 0;
            self.halved_at = Some(now);
        }
    }

    pub fn answered(&mut self) {
        self.answers += 1;
        let is_due = mutant!(WidenAtOnce) || self.answers >= self.limit;
        if is_due && !mutant!(NeverWiden) {
            self.answers = 0;
            self.limit = (self.limit + self.max.div_ceil(16)).min(self.max);
        }
    }
}
