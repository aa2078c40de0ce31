//! A query that has ended while attempts are still in flight: what is needed to bill them and to tell garbage from the answer.

use crate::Command;
use crate::attempt::Attempt;
use crate::core::Core;
use crate::query::Query;
use crate::timers::Timer;
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{AttemptId, Meter, Output, OutputLocation, key};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(crate) struct Closed {
    flights: BTreeMap<AttemptId, Attempt>,
    /// Objects that hold the answer.
    answer: BTreeSet<String>,
}

impl Closed {
    pub fn new(query: &Query, outcome: &Outcome) -> Closed {
        let outputs = match outcome {
            Outcome::Finished { outputs, .. } => outputs.as_slice(),
            Outcome::Failed { .. } | Outcome::Canceled => &[],
        };
        Closed {
            flights: query.flights().map(|(id, flight)| (id, flight.clone())).collect(),
            answer: outputs.iter().filter_map(object_key).map(str::to_owned).collect(),
        }
    }

    pub fn is_done(&self) -> bool {
        self.flights.is_empty()
    }

    /// An answer, or the second copy of one.
    pub fn end(&mut self, core: &mut Core, attempt: AttemptId, meter: Meter, output: Option<Output>) {
        if let Some(flight) = self.flights.remove(&attempt) {
            core.admission.end();
            core.timers.cancel(flight.expires, Timer::Expiry(attempt.clone()));
        }
        // The key comes from another process: only what lies where the attempt was told to write is passed on for deletion.
        let own = key::output_prefix(&core.settings.tenant, &attempt);
        let garbage = |key: &str| key.starts_with(&own) && !self.answer.contains(key);
        let output = output.filter(|output| object_key(output).is_some_and(garbage));
        late(core, attempt, meter, output);
    }

    pub fn expire(&mut self, core: &mut Core, attempt: AttemptId) {
        if let Some(flight) = self.flights.remove(&attempt) {
            core.admission.end();
            core.counters.expired += 1;
            late(core, attempt, flight.bound(), None);
        }
    }
}

/// Of an attempt that ended after its query. For a query that is forgotten nobody knows what is garbage: pass no output, and
/// leave the object to the cleanup of the query's prefixes.
pub(crate) fn late(core: &mut Core, attempt: AttemptId, meter: Meter, output: Option<Output>) {
    core.counters.late += 1;
    core.commands.push_back(Command::Late {
        query: attempt.query.clone(),
        attempt,
        meter,
        output,
    });
}

fn object_key(output: &Output) -> Option<&str> {
    match &output.location {
        OutputLocation::Object { key, .. } => Some(key),
        OutputLocation::Inline { .. } => None,
    }
}
