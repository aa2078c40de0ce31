//! Everybody outside: clients that submit, poll and cancel, each time at any coordinator that is up; and the queue of lease messages.

use super::{LEASE_MS, Step, World, text};
use crate::coordinator::Condition;
use crate::heap::Happening;
use crate::random::{chance, skewed};
use mayfly_schedule::Event;
use mayfly_schedule::journal::State;
use rand::Rng;
use std::time::Duration;

const POLL_MS: u64 = 9_000;
/// A client tries again so much later when nobody is there.
const AGAIN_MS: u64 = 1_000;
const MESSAGE_LATE_MS_MAX: u64 = 40_000;

impl World<'_> {
    /// Any coordinator that is up.
    pub(super) fn somebody(&mut self) -> Option<usize> {
        let up = self
            .coordinators
            .iter()
            .filter(|other| other.condition == Condition::Up);
        let up: Vec<usize> = up.map(|other| other.number).collect();
        let pick = self.streams.coordination.random_range(0..up.len().max(1));
        up.get(pick).copied()
    }

    pub(super) fn submit(&mut self, query: usize) -> Step {
        let Some(c) = self.somebody() else {
            self.later(AGAIN_MS, Happening::Submit { query });
            return Ok(());
        };
        self.later(POLL_MS, Happening::Poll { query });
        // A client that hears nothing sends its statement again; that starts nothing twice.
        if self.goes_wrong("fault submitted twice", self.mishaps.submitted_twice) {
            self.later(AGAIN_MS / 100, Happening::Submit { query });
        }
        if !self.coordinators[c].owned.contains_key(&query) {
            self.accept(c, query);
        }
        self.drain(c)
    }

    /// Draws what goes wrong with coordinators and what they use, and counts it if it strikes.
    pub(super) fn goes_wrong(&mut self, name: &'static str, probability: f64) -> bool {
        let is_quiet = self.now >= self.mishaps.quiet_from;
        let strikes = !is_quiet && chance(&mut self.streams.coordination, probability);
        if strikes {
            self.coverage.hit(name);
        }
        strikes
    }

    /// Whoever is asked looks into the journal. What it lacks is made good: a query that nobody has accepted is submitted again, and of
    /// one that nobody owns the message is sent again.
    pub(super) fn poll(&mut self, query: usize) -> Step {
        let Some(c) = self.somebody() else {
            self.later(AGAIN_MS, Happening::Poll { query });
            return Ok(());
        };
        if let Some((outcome, _)) = &self.shelf.standing(query).end {
            let id = &self.queries[query].id;
            return self.chronicle.answered(self.now, id, outcome).map_err(text);
        }
        self.later(POLL_MS, Happening::Poll { query });
        if self.read_fails() {
            return Ok(());
        }
        let local = self.local(c);
        let is_owner = self.coordinators[c].owned.contains_key(&query);
        let standing = self.shelf.standing(query);
        match standing.state(local, Duration::from_millis(LEASE_MS)) {
            State::Unknown if !is_owner => {
                self.coverage.hit("branch submitted again");
                self.accept(c, query);
            }
            State::Orphan if !is_owner => {
                self.coverage.hit("branch message sent again");
                self.send_message(query, 0);
            }
            State::Unknown | State::Orphan | State::Owned { .. } | State::Ended => {}
        }
        self.drain(c)
    }

    pub(super) fn send_message(&mut self, query: usize, delay_ms: u64) {
        let copies = if self.goes_wrong("fault message lost", self.mishaps.message_lost) {
            0
        } else {
            1 + u64::from(self.goes_wrong("fault message duplicated", self.mishaps.message_duplicated))
        };
        let late = self.goes_wrong("fault message late", self.mishaps.message_late);
        for copy in 0..copies {
            let late_ms = match late || copy > 0 {
                true => skewed(&mut self.streams.coordination, MESSAGE_LATE_MS_MAX),
                false => 0,
            };
            self.later(delay_ms + late_ms, Happening::Message { query });
        }
    }

    pub(super) fn cancel_if_due(&mut self) -> Step {
        for at in 0..self.queries.len() {
            if self.queries[at].cancel_at == Some(self.steps) {
                self.cancel(at)?;
            }
        }
        Ok(())
    }

    /// A cancel of what is not yet accepted, or over, is legal and changes nothing.
    pub(super) fn cancel(&mut self, query: usize) -> Step {
        let Some(c) = self.somebody() else { return Ok(()) };
        let id = self.queries[query].id.clone();
        self.trace.note(self.now, format_args!("cancel {id} at c{c}"));
        self.coverage.hit("fault canceled");
        if self.coordinators[c].runs(query) {
            self.coordinators[c].auditor.canceled(&id);
            self.handle(c, Event::Canceled { query: id });
            return self.drain(c);
        }
        let standing = self.shelf.standing(query);
        if standing.accepted.is_some() && standing.end.is_none() {
            self.coverage.hit("fault canceled elsewhere");
            let next = standing.next;
            self.append_cancel(c, query, next);
        }
        Ok(())
    }

    fn later(&mut self, ms: u64, happening: Happening) {
        let at = self.now + Duration::from_millis(ms);
        self.heap.arrange(at, happening);
    }
}
