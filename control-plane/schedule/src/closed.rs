//! A query that runs here no more while attempts are still in flight: what is needed to bill them, to tell garbage from the answer,
//! and to write the final record.

use crate::Command;
use crate::attempt::Attempt;
use crate::core::Core;
use crate::query::Query;
use crate::timers::Timer;
use mayfly_protocol::journal::{Entry, Outcome};
use mayfly_protocol::{AttemptId, Meter, Output, OutputLocation, QueryId, key};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(crate) struct Closed {
    flights: BTreeMap<AttemptId, Attempt>,
    /// Objects that hold the answer.
    answer: BTreeSet<String>,
    /// What goes into the final record.
    entries: Vec<Entry>,
    /// What may be deleted when that is durable.
    garbage: BTreeMap<String, (AttemptId, Output)>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The final record is being written.
    Written,
    Durable,
    /// Another coordinator's to write. Nothing may be deleted here: it may be part of the answer.
    Foreign,
}

impl Closed {
    pub fn ended(core: &mut Core, query: &mut Query, outcome: &Outcome) -> Closed {
        let (outputs, entries) = match outcome {
            Outcome::Finished { outputs, .. } if mutant!(FinalWithoutWins) => (outputs.as_slice(), Vec::new()),
            Outcome::Finished { outputs, .. } => (outputs.as_slice(), query.take_entries(core)),
            // Winners of a query without an answer are worth nothing.
            Outcome::Failed { .. } | Outcome::Canceled => (&[][..], Vec::new()),
        };
        Closed {
            flights: query.flights().map(|(id, flight)| (id, flight.clone())).collect(),
            answer: outputs.iter().filter_map(object_key).map(str::to_owned).collect(),
            entries,
            garbage: query.take_garbage().into_iter().filter_map(by_key).collect(),
            end: End::Written,
        }
    }

    pub fn fenced(query: &Query) -> Closed {
        Closed {
            flights: query.flights().map(|(id, flight)| (id, flight.clone())).collect(),
            answer: BTreeSet::new(),
            entries: Vec::new(),
            garbage: BTreeMap::new(),
            end: End::Foreign,
        }
    }

    pub fn is_done(&self) -> bool {
        self.flights.is_empty() && self.end != End::Written
    }

    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// The final record is durable: what lost may be deleted.
    pub fn end_is_durable(&mut self, core: &mut Core, query: &QueryId) {
        if self.end != End::Written {
            return;
        }
        self.end = End::Durable;
        for (attempt, output) in std::mem::take(&mut self.garbage).into_values() {
            core.commands.push_back(Command::Discard {
                query: query.clone(),
                attempt,
                output,
            });
        }
    }

    pub fn fence(&mut self) {
        self.end = End::Foreign;
        self.garbage.clear();
    }

    /// Keeps what was in flight for another ownership of the same query.
    pub fn absorb(&mut self, earlier: Closed) {
        self.flights.extend(earlier.flights);
    }

    /// Takes an attempt out of the air; none if it is not there.
    pub fn land(&mut self, core: &mut Core, attempt: &AttemptId) -> Option<Attempt> {
        let flight = self.flights.remove(attempt)?;
        core.admission.end(flight.turn);
        core.timers.cancel(flight.expires, Timer::Expiry(attempt.clone()));
        Some(flight)
    }

    /// An answer, or the second copy of one.
    pub fn answer(&mut self, core: &mut Core, attempt: AttemptId, meter: Meter, output: Option<Output>) {
        // The key comes from another process: only what lies where the attempt was told to write is passed on for deletion.
        let own = key::output_prefix(&core.settings.tenant, &attempt);
        let is_answer = |key: &str| self.answer.contains(key) && !mutant!(GiveUpAnswer);
        let garbage = |key: &str| key.starts_with(&own) && !is_answer(key) && !mutant!(KeepLateGarbage);
        let output = output.filter(|output| object_key(output).is_some_and(garbage));
        let output = match self.end {
            End::Durable => output,
            End::Foreign => output.filter(|_| mutant!(DiscardForeign)),
            End::Written => {
                let lost = output.and_then(|output| by_key((attempt.clone(), output)));
                self.garbage.extend(lost);
                None
            }
        };
        late(core, attempt, meter, output);
    }
}

/// Of an attempt that ended after its query. For a query that is forgotten nobody knows what is garbage: pass no output, and
/// leave the object to the cleanup of the query's prefixes.
pub(crate) fn late(core: &mut Core, attempt: AttemptId, meter: Meter, output: Option<Output>) {
    if mutant!(ForgetLateMeter) {
        return;
    }
    core.counters.late += 1;
    core.commands.push_back(Command::Late {
        query: attempt.query.clone(),
        attempt,
        meter,
        output,
    });
}

fn by_key(garbage: (AttemptId, Output)) -> Option<(String, (AttemptId, Output))> {
    let key = object_key(&garbage.1)?.to_owned();
    Some((key, garbage))
}

fn object_key(output: &Output) -> Option<&str> {
    match &output.location {
        OutputLocation::Object { key, .. } => Some(key),
        OutputLocation::Inline { .. } => None,
    }
}
