//! The public face: one method per fact. Each returns the first rule that the fact breaks.

use crate::history::{History, Launch, Published, object_key};
use crate::violation::{Rule, Violation, must};
use crate::{bills, launch, outcome};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{AttemptId, EpochMs, Failure, Meter, Output, QueryId, StageGraph, StageId, TaskReport, TaskSpec};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the scheduler under test was told to keep to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Attempts in flight at once.
    pub concurrency_max: u32,
    /// After an attempt's deadline its answer is awaited for so long.
    pub answer_grace_ms: u64,
    /// Transient failures that any query may have.
    pub retries_min: u32,
    /// Transient failures in percent of a query's tasks.
    pub retries_percent: u32,
    /// A query may be given up when nothing but failures was seen for so long.
    pub fleet_dead_ms: u64,
}

/// Follows any number of queries over one fleet.
#[derive(Debug)]
pub struct Auditor {
    bounds: Bounds,
    queries: BTreeMap<QueryId, History>,
    /// Attempts in flight, with their expiry.
    open: BTreeMap<AttemptId, EpochMs>,
}

type Verdict = Result<(), Violation>;

impl Auditor {
    /// An auditor that has seen nothing.
    pub fn new(bounds: Bounds) -> Auditor {
        Auditor {
            bounds,
            queries: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// A query was handed to the scheduler.
    pub fn submitted(&mut self, query: QueryId, epoch: u32, graph: &StageGraph, deadline: EpochMs) {
        let history = || History::new(graph.clone(), epoch, deadline);
        self.queries.entry(query).or_insert_with(history);
    }

    /// A cancel was handed to the scheduler.
    pub fn canceled(&mut self, query: &QueryId) {
        if let Some(history) = self.queries.get_mut(query) {
            history.canceled = true;
        }
    }

    /// The scheduler launched an attempt.
    pub fn invoked(&mut self, now: EpochMs, spec: &TaskSpec) -> Verdict {
        self.pass_time(now);
        let attempt = &spec.attempt;
        let expires = spec.deadline + Duration::from_millis(self.bounds.answer_grace_ms);
        let history = self.queries.get_mut(&attempt.query);
        let history = history.ok_or_else(|| format!("{attempt}: launched for an unknown query"));
        let history = history.map_err(|what| Violation { at: now, what })?;
        launch::check(history, now, spec, &self.bounds).map_err(|what| Violation { at: now, what })?;
        history.prefixes.insert(spec.output.key_prefix.clone());
        history.launch(Launch::new(spec, now, expires));
        self.open.insert(attempt.clone(), expires);
        let (open, max) = (self.open.len(), self.bounds.concurrency_max);
        judge(
            now,
            must(open <= max as usize, || {
                format!("{attempt}: {open} attempts in flight, over {max}")
            }),
        )
    }

    /// A report was handed to the scheduler, perhaps not for the first time.
    pub fn reported(&mut self, now: EpochMs, report: &TaskReport, meter: &Meter) {
        let attempt = &report.attempt;
        self.pass_time(now);
        self.open.remove(attempt);
        let Some(history) = self.queries.get_mut(&attempt.query) else {
            return;
        };
        bills::deliver(history, attempt, meter);
        history.reported_at = Some(now);
        let Some(launch) = history.launch_of(attempt) else {
            return;
        };
        // A report that is not an answer to its spec publishes nothing.
        if report.output.partitions.len() == launch.partitions as usize {
            let published = history.published.entry(attempt.task).or_default();
            published.push(Published {
                attempt: attempt.clone(),
                nonce: report.nonce,
                output: report.output.clone(),
            });
        } else {
            let message = "malformed report".to_owned();
            history.note_failure(attempt, Failure::Broken { message }, now);
        }
        history.answer(attempt);
    }

    /// A failure was handed to the scheduler, perhaps not for the first time.
    pub fn failed(&mut self, now: EpochMs, attempt: &AttemptId, failure: &Failure, meter: &Meter) {
        self.pass_time(now);
        self.open.remove(attempt);
        let Some(history) = self.queries.get_mut(&attempt.query) else {
            return;
        };
        bills::deliver(history, attempt, meter);
        if let Failure::InputLost { producer, key, .. } = failure {
            history.lost.entry(*producer).or_default().insert(key.clone());
        }
        history.note_failure(attempt, failure.clone(), now);
        history.answer(attempt);
    }

    /// The scheduler concluded a query.
    pub fn finished(
        &mut self,
        now: EpochMs,
        query: &QueryId,
        outcome: &Outcome,
        usage: &BTreeMap<StageId, Meter>,
    ) -> Verdict {
        self.pass_time(now);
        let bounds = self.bounds;
        let history = self.queries.get_mut(query);
        let rule = match history {
            None => Err(format!("{query}: an unknown query ended")),
            Some(history) => outcome::check(history, now, outcome, &bounds)
                .and_then(|()| bills::settle(history, now, usage))
                .map_err(|what| format!("{query}: {what}"))
                .map(|()| history.outcome = Some(outcome.clone())),
        };
        judge(now, rule)
    }

    /// The scheduler passed on what ended after its query.
    pub fn late(&mut self, now: EpochMs, attempt: &AttemptId, meter: &Meter, output: Option<&Output>) -> Verdict {
        self.pass_time(now);
        let Some(history) = self.queries.get_mut(&attempt.query) else {
            return judge(now, Err(format!("{attempt}: late for an unknown query")));
        };
        let rule = bills::late(history, attempt, meter).and_then(|()| match output {
            Some(output) => outcome::check_garbage(history, output),
            None => Ok(()),
        });
        judge(now, rule.map_err(|what| format!("{attempt}: {what}")))
    }

    /// The scheduler gave an object up for deletion.
    pub fn discarded(&mut self, now: EpochMs, attempt: &AttemptId, output: &Output) -> Verdict {
        self.pass_time(now);
        let Some(history) = self.queries.get_mut(&attempt.query) else {
            return judge(now, Err(format!("{attempt}: discarded for an unknown query")));
        };
        judge(
            now,
            discard(history, attempt, output).map_err(|what| format!("{attempt}: {what}")),
        )
    }

    /// Nothing will happen any more.
    pub fn ended(&mut self, now: EpochMs) -> Verdict {
        self.pass_time(now);
        let rule = self.queries.iter().try_for_each(|(query, history)| {
            must(history.is_over(), || format!("{query}: never ended"))?;
            must(history.late.is_empty(), || {
                format!("{query}: {} late meters were not passed on", history.late.len())
            })
        });
        judge(now, rule)
    }

    /// Attempts expire by themselves.
    fn pass_time(&mut self, now: EpochMs) {
        let expired: Vec<AttemptId> = self
            .open
            .iter()
            .filter(|(_, expires)| **expires <= now)
            .map(|(attempt, _)| attempt.clone())
            .collect();
        for attempt in expired {
            self.open.remove(&attempt);
            if let Some(history) = self.queries.get_mut(&attempt.query) {
                bills::expire(history, &attempt, now);
            }
        }
    }
}

fn judge(now: EpochMs, rule: Rule) -> Verdict {
    rule.map_err(|what| Violation { at: now, what })
}

fn discard(history: &mut History, attempt: &AttemptId, output: &Output) -> Rule {
    let key = object_key(output).ok_or("an inline output was discarded")?;
    let published = history.published_by(attempt.task);
    let own = |published: &Published| published.attempt == *attempt && published.key() == Some(key);
    must(published.iter().any(own), || {
        format!("{key} was discarded and never published")
    })?;
    must(history.discarded.insert(key.to_owned()), || {
        format!("{key} was discarded twice")
    })
}
