//! The public face: events and time go in, commands and the next timeout come out.

use crate::closed::{Closed, late};
use crate::core::Core;
use crate::query::{Query, Submission};
use crate::timers::Timer;
use crate::{Command, Counters, Event, Progress, Settings, Usage};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{AttemptId, EpochMs, Meter, Output, QueryError, QueryId, StageGraph};
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
            Event::Reported { attempt, answer, meter } => match self.queries.get_mut(&attempt.query) {
                Some(query) => {
                    let outcome = query.report(&mut self.core, &attempt, *answer, meter);
                    self.settle(&attempt.query, outcome);
                }
                None => self.after_the_end(attempt, meter, Some(answer.output)),
            },
            Event::Failed {
                attempt,
                failure,
                meter,
            } => match self.queries.get_mut(&attempt.query) {
                Some(query) => {
                    let outcome = query.fail(&mut self.core, &attempt, &failure, meter);
                    self.settle(&attempt.query, outcome);
                }
                None => self.after_the_end(attempt, meter, None),
            },
            Event::Canceled { query } => self.cancel(&query),
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

    /// Whether nothing runs and nothing is awaited.
    pub fn is_idle(&self) -> bool {
        self.queries.is_empty() && self.closed.is_empty()
    }

    fn submit(&mut self, submission: Submission, graph: StageGraph) {
        let id = submission.query.clone();
        if self.queries.contains_key(&id) || self.closed.contains_key(&id) {
            return;
        }
        match Query::new(submission, graph, &self.core.settings) {
            Ok(mut query) => {
                query.start(&mut self.core);
                let over = query.deadline <= self.core.now;
                let outcome = over.then(|| failed(query.time_is_over()));
                self.queries.insert(id.clone(), query);
                self.settle(&id, outcome);
            }
            Err(error) => self.core.commands.push_back(Command::Finish {
                query: id,
                outcome: failed(error),
                usage: Usage::default(),
                progress: Box::default(),
            }),
        }
    }

    fn cancel(&mut self, id: &QueryId) {
        if self.queries.contains_key(id) {
            self.core.counters.canceled += 1;
            self.settle(id, Some(Outcome::Canceled));
        }
    }

    fn after_the_end(&mut self, attempt: AttemptId, meter: Meter, output: Option<Output>) {
        let id = attempt.query.clone();
        match self.closed.get_mut(&id) {
            Some(closed) => closed.end(&mut self.core, attempt, meter, output),
            None => late(&mut self.core, attempt, meter, None),
        }
        self.forget(&id);
    }

    fn fire(&mut self, timer: Timer) {
        let (id, outcome) = match timer {
            Timer::Deadline(id) => {
                self.core.counters.deadline_passed += 1;
                let outcome = self.queries.get(&id).map(|query| failed(query.time_is_over()));
                (id, outcome)
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
            Timer::Expiry(attempt) => (attempt.query.clone(), self.expire(attempt)),
        };
        self.settle(&id, outcome);
    }

    fn expire(&mut self, attempt: AttemptId) -> Option<Outcome> {
        let id = attempt.query.clone();
        if let Some(query) = self.queries.get_mut(&id) {
            return query.expire(&mut self.core, &attempt);
        }
        if let Some(closed) = self.closed.get_mut(&id) {
            closed.expire(&mut self.core, attempt);
        }
        self.forget(&id);
        None
    }

    /// Gives the next query in line its turn; false when no slot is free or nobody waits.
    fn launch_next(&mut self) -> bool {
        if !self.core.admission.has_slot() {
            return false;
        }
        let Some(id) = self.core.admission.next_turn() else {
            return false;
        };
        let launched = self.queries.get_mut(&id).map(|query| query.take_turn(&mut self.core));
        if let Some(Err(error)) = launched {
            self.settle(&id, Some(failed(error)));
        }
        true
    }

    /// Ends the query if there is an outcome.
    fn settle(&mut self, id: &QueryId, outcome: Option<Outcome>) {
        let Some(outcome) = outcome else { return };
        let Some(query) = self.queries.remove(id) else { return };
        query.cancel_timers(&mut self.core);
        self.closed.insert(id.clone(), Closed::new(&query, &outcome));
        self.forget(id);
        self.core.commands.push_back(Command::Finish {
            query: id.clone(),
            outcome,
            usage: query.usage(),
            progress: Box::new(query.progress()),
        });
    }

    /// Lets go of an ended query once nothing of it is in flight.
    fn forget(&mut self, id: &QueryId) {
        if self.closed.get(id).is_some_and(Closed::is_done) {
            self.closed.remove(id);
        }
    }
}

fn failed(error: QueryError) -> Outcome {
    Outcome::Failed { error }
}
