//! The public face: events and time go in, commands and the next timeout come out.

mod life;

use crate::attempt::Turn;
use crate::closed::{Closed, late};
use crate::core::Core;
use crate::query::{Query, Submission};
use crate::timers::Timer;
use crate::{Command, Counters, Event, Progress, Settings, Usage};
use life::failed;
use mayfly_protocol::journal::{Entry, Outcome};
use mayfly_protocol::{AttemptId, EpochMs, Meter, Output, QueryId};
use std::collections::BTreeMap;

/// Decides for any number of queries over one fleet. Same seed, same events, same commands.
#[derive(Debug)]
pub struct Scheduler {
    core: Core,
    queries: BTreeMap<QueryId, Query>,
    closed: BTreeMap<QueryId, Closed>,
}

impl Scheduler {
    pub fn new(settings: Settings, seed: u64) -> Scheduler {
        Scheduler {
            core: Core::new(settings, seed),
            queries: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    /// Takes in a fact. `now` never runs backwards here: an earlier one counts as the latest seen.
    pub fn handle(&mut self, now: EpochMs, event: Event) {
        self.core.now = self.core.now.max(now);
        match event {
            Event::Submitted {
                query,
                epoch,
                graph,
                deadline,
                limits,
            } => self.submit(
                Submission {
                    query,
                    epoch,
                    deadline,
                    limits,
                },
                graph,
            ),
            Event::Resumed {
                query,
                epoch,
                graph,
                deadline,
                limits,
                entries,
                found,
            } => {
                let submission = Submission {
                    query,
                    epoch,
                    deadline,
                    limits,
                };
                self.resume(submission, graph, entries, found);
            }
            Event::Journaled { query } => {
                if let Some(query) = self.queries.get_mut(&query) {
                    query.journaled(&mut self.core);
                }
            }
            Event::Ended { query } => self.end_is_durable(&query),
            Event::Fenced { query } => self.fence(&query),
            Event::Reported { attempt, answer, meter } => {
                self.land_stray(&attempt);
                match self.queries.get_mut(&attempt.query) {
                    Some(query) => {
                        let outcome = query.report(&mut self.core, &attempt, *answer, meter);
                        self.settle(&attempt.query, outcome);
                    }
                    None => self.after_the_end(attempt, meter, Some(answer.output)),
                }
            }
            Event::Failed {
                attempt,
                failure,
                meter,
            } => {
                self.land_stray(&attempt);
                match self.queries.get_mut(&attempt.query) {
                    Some(query) => {
                        let outcome = query.fail(&mut self.core, &attempt, &failure, meter);
                        self.settle(&attempt.query, outcome);
                    }
                    None => self.after_the_end(attempt, meter, None),
                }
            }
            Event::Canceled { query } => self.cancel(&query),
        }
    }

    /// What the journal shall be told next, in one record: winners, each after those that it was computed from, and what they build
    /// on. Take it immediately before the PUT, and put it until it is durable or the query is lost: it is given once.
    pub fn take_entries(&mut self, query: &QueryId) -> Vec<Entry> {
        match (self.queries.get_mut(query), self.closed.get_mut(query)) {
            (Some(query), _) => query.take_entries(&mut self.core),
            (None, Some(closed)) => closed.take_entries(),
            (None, None) => Vec::new(),
        }
    }

    /// The next decision; none when everything that can be decided now is. May launch, so call it until it gives none.
    pub fn poll_command(&mut self) -> Option<Command> {
        loop {
            if let Some(command) = self.core.commands.pop_front() {
                return Some(command);
            }
            if !self.launch_next() {
                return None;
            }
        }
    }

    /// When `handle_timeout` wants to be called. Ask after the commands are polled.
    pub fn poll_timeout(&self) -> Option<EpochMs> {
        self.core.timers.next()
    }

    /// Does what is due at `now`; nothing if nothing is.
    pub fn handle_timeout(&mut self, now: EpochMs) {
        self.core.now = self.core.now.max(now);
        while let Some(timer) = self.core.timers.due(self.core.now) {
            self.fire(timer);
        }
    }

    /// How far a query is; none before it is submitted and after it has ended.
    pub fn progress(&self, query: &QueryId) -> Option<Progress> {
        self.queries.get(query).map(Query::progress)
    }

    /// What a query used so far, bounds included; none after it has ended.
    pub fn usage(&self, query: &QueryId) -> Option<Usage> {
        self.queries.get(query).map(Query::usage)
    }

    /// Attempts in flight, over all queries, ended ones included.
    pub fn in_flight(&self) -> u32 {
        self.core.admission.in_flight()
    }

    /// How many attempts may be in flight just now: `concurrency_max`, or less after throttling.
    pub fn concurrency_limit(&self) -> u32 {
        self.core.admission.limit()
    }

    pub fn counters(&self) -> Counters {
        self.core.counters
    }

    /// Whether nothing runs, and neither an answer nor the end of a final record is awaited.
    pub fn is_idle(&self) -> bool {
        self.queries.is_empty() && self.closed.is_empty()
    }

    /// Frees the slot of an attempt whose query is not, or no more, the one that launched it.
    fn land_stray(&mut self, attempt: &AttemptId) {
        let Some(closed) = self.closed.get_mut(&attempt.query) else {
            return;
        };
        let landed = closed.land(&mut self.core, attempt).is_some();
        if landed && self.queries.contains_key(&attempt.query) {
            self.core.counters.own_old_epoch += 1;
            self.forget(&attempt.query);
        }
    }

    fn after_the_end(&mut self, attempt: AttemptId, meter: Meter, output: Option<Output>) {
        let id = attempt.query.clone();
        match self.closed.get_mut(&id) {
            Some(closed) => closed.answer(&mut self.core, attempt, meter, output),
            None => late(&mut self.core, attempt, meter, None),
        }
        self.forget(&id);
    }

    fn fire(&mut self, timer: Timer) {
        let (id, outcome) = match timer {
            Timer::Deadline(id) => {
                self.core.counters.deadline_passed += 1;
                let outcome = self.queries.get(&id).map(|query| failed(query.time_is_over()));
                (id, outcome.filter(|_| !mutant!(IgnoreDeadline)))
            }
            Timer::Fleet(id) => {
                let query = self.queries.get(&id);
                let dead = query.and_then(|query| query.fleet_is_dead(&mut self.core));
                (id, dead.map(failed))
            }
            Timer::Retry(id, task) => {
                if let Some(query) = self.queries.get_mut(&id) {
                    query.retry(&mut self.core, task);
                }
                (id, None)
            }
            Timer::Straggler(id, stage) => {
                if let Some(query) = self.queries.get_mut(&id) {
                    query.look(&mut self.core, stage);
                }
                (id, None)
            }
            Timer::Expiry(attempt) => (attempt.query.clone(), self.expire(attempt)),
        };
        self.settle(&id, outcome);
    }

    fn expire(&mut self, attempt: AttemptId) -> Option<Outcome> {
        let closed = self.closed.get_mut(&attempt.query);
        let stray = closed.and_then(|closed| closed.land(&mut self.core, &attempt));
        let query = self.queries.get_mut(&attempt.query);
        match (stray, query) {
            (None, Some(query)) => return query.expire(&mut self.core, &attempt),
            (Some(flight), Some(query)) => {
                self.core.counters.own_old_epoch += 1;
                query.bill_bound(&attempt, &flight);
            }
            (Some(flight), None) => late(&mut self.core, attempt.clone(), flight.bound(), None),
            (None, None) => return None,
        }
        self.core.counters.expired += 1;
        self.forget(&attempt.query);
        None
    }

    /// Gives the next query in line its turn; false when no slot is free or nobody waits.
    fn launch_next(&mut self) -> bool {
        if !self.core.admission.has_slot() {
            return self.launch_short();
        }
        if mutant!(CopyBeforeFirstAttempts) && self.copy_next() {
            return true;
        }
        let Some(id) = self.core.admission.next_turn() else {
            return self.copy_next();
        };
        self.give_turn(&id, Turn::Slot);
        true
    }

    /// Gives the first query in line that may have one a short turn; false when there is none.
    fn launch_short(&mut self) -> bool {
        if !self.core.admission.has_short_turn() {
            return false;
        }
        let queries = &self.queries;
        let may = |id: &QueryId| queries.get(id).is_some_and(Query::may_take_short_turn);
        let Some(id) = self.core.admission.next_short_turn(may) else {
            return false;
        };
        self.give_turn(&id, Turn::Short);
        true
    }

    fn give_turn(&mut self, id: &QueryId, turn: Turn) {
        let query = self.queries.get_mut(id);
        if let Some(Err(error)) = query.map(|query| query.take_turn(&mut self.core, turn)) {
            self.settle(id, Some(failed(error)));
        }
    }

    /// Copies the next straggler in line; false when there is none.
    fn copy_next(&mut self) -> bool {
        let Some((id, task)) = self.core.admission.next_copy() else {
            return false;
        };
        match self.queries.get_mut(&id) {
            Some(query) => query.copy(&mut self.core, task),
            None => self.core.counters.copies_moot += 1,
        }
        true
    }
}
