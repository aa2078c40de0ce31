//! The public face: one method per fact. Each returns the first rule that the fact breaks.

mod answers;
mod takeover;

use crate::copies::Copying;
use crate::history::{History, Launch, Published, object_key};
use crate::violation::{Rule, Violation, must};
use crate::width::Width;
use crate::{again, alternative, bills, copies, fleet, garbage, launch, outcome, regroup, turns};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{
    Alternative, AttemptId, EpochMs, Meter, Output, QueryId, StageGraph, StageId, TaskSpec, TaskTemplate,
};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::time::Duration;

/// What the scheduler under test was told to keep to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Attempts in flight at once.
    pub concurrency_max: u32,
    /// Attempts beside those, of queries that have none in flight, cut to so long each; no other attempt has exactly that time.
    pub short_turns_max: u32,
    /// See `short_turns_max`.
    pub short_turn_ms: u64,
    /// What any other first attempt may take.
    pub task_duration_ms: u64,
    /// After an attempt's deadline its answer is awaited for so long.
    pub answer_grace_ms: u64,
    /// Transient failures that any query may have.
    pub retries_min: u32,
    /// Transient failures in percent of a query's tasks.
    pub retries_percent: u32,
    /// The longest first backoff; each next one of a task may be twice as long.
    pub backoff_ms: u64,
    /// Winners that the journal does not know, and what those without an object were billed, at which it is told.
    pub journal_wins_max: u32,
    /// See `journal_wins_max`.
    pub journal_risk_mb_ms_max: u64,
    /// Copies of stragglers; none are allowed without.
    pub copies: Option<Copying>,
    /// A query may be given up when nothing but failures was seen for so long.
    pub fleet_dead_ms: u64,
    /// While a query waits, something is in flight again after at most so long: the longest backoff, and the longest delay that
    /// the platform asks for.
    pub idle_ms_max: u64,
}

/// Follows any number of queries over one fleet.
#[derive(Debug)]
pub struct Auditor {
    bounds: Bounds,
    queries: BTreeMap<QueryId, History>,
    /// Attempts in flight, with their expiry.
    open: BTreeMap<AttemptId, EpochMs>,
    /// Of those, the ones in a short turn.
    short: BTreeSet<AttemptId>,
    /// Of the others, those whose query's end leaves them no longer: which turn they have cannot be seen.
    brief: BTreeSet<AttemptId>,
    /// None of them expires before.
    expires_from: EpochMs,
    /// When something last happened.
    seen: EpochMs,
    /// When it last woke, and what it had seen before: what ended in between is seen in an order that is not known.
    slept: (EpochMs, EpochMs),
    /// Since when queries wait and nothing is in flight.
    idle_since: Option<EpochMs>,
    /// The first time that this took too long.
    stuck: Option<Violation>,
    width: Width,
    /// When any executor last showed that it lives.
    alive_at: Option<EpochMs>,
    /// The copy that was launched since the last fact.
    copied: Option<AttemptId>,
    /// Retries in a row that waited for nothing.
    at_once: u32,
}

type Verdict = Result<(), Violation>;

impl Auditor {
    /// An auditor that has seen nothing.
    pub fn new(bounds: Bounds) -> Auditor {
        Auditor {
            bounds,
            queries: BTreeMap::new(),
            open: BTreeMap::new(),
            short: BTreeSet::new(),
            brief: BTreeSet::new(),
            expires_from: EpochMs(0),
            seen: EpochMs(0),
            slept: (EpochMs(0), EpochMs(0)),
            idle_since: None,
            stuck: None,
            width: Width::new(bounds.concurrency_max),
            alive_at: None,
            copied: None,
            at_once: 0,
        }
    }

    /// A query was handed to the scheduler.
    pub fn submitted(&mut self, now: EpochMs, query: QueryId, epoch: u32, graph: Rc<StageGraph>, deadline: EpochMs) {
        self.pass_time(now);
        let mut history = History::new(graph, epoch, deadline, &self.bounds);
        history.may_end_until = deadline.max(now);
        history.submitted_at = now;
        history.is_ordered = true;
        history.is_whole = true;
        self.copied = None;
        self.queries.entry(query).or_insert(history);
        self.note_idleness(now);
    }

    /// The query's stages as they are now: formed anew, switched, or as another coordinator left them.
    pub fn graph(&self, query: &QueryId) -> Option<Rc<StageGraph>> {
        self.queries.get(query).map(|history| history.graph.clone())
    }

    /// A cancel was handed to the scheduler.
    pub fn canceled(&mut self, query: &QueryId) {
        self.copied = None;
        if let Some(history) = self.queries.get_mut(query) {
            history.canceled = true;
        }
    }

    /// The scheduler formed a stage's tasks anew.
    pub fn regrouped(&mut self, now: EpochMs, query: &QueryId, stage: StageId, tasks: &[TaskTemplate]) -> Verdict {
        self.pass_time(now);
        let history = self.queries.get_mut(query);
        let rule = match history {
            None => Err("of an unknown query".to_owned()),
            Some(history) => regroup::check(history, stage, tasks),
        };
        judge(now, rule.map_err(|what| format!("{query}/{stage}: regrouped: {what}")))
    }

    /// The scheduler took an alternative.
    pub fn switched(&mut self, now: EpochMs, query: &QueryId, taken: &Alternative) -> Verdict {
        self.pass_time(now);
        let rule = match self.queries.get_mut(query) {
            None => Err("of an unknown query".to_owned()),
            Some(history) => alternative::check(history, taken),
        };
        let stage = taken.stage.id;
        judge(now, rule.map_err(|what| format!("{query}/{stage}: switched: {what}")))
    }

    /// The scheduler launched an attempt.
    pub fn invoked(&mut self, now: EpochMs, spec: &Rc<TaskSpec>) -> Verdict {
        self.pass_time(now);
        let attempt = &spec.attempt;
        let expires = spec.deadline + Duration::from_millis(self.bounds.answer_grace_ms);
        let history = self.queries.get_mut(&attempt.query);
        let history = history.ok_or_else(|| format!("{attempt}: launched for an unknown query"));
        let history = history.map_err(|what| Violation { at: now, what })?;
        let copy = launch::check(history, now, spec);
        let copy = copy.map_err(|what| Violation {
            at: now,
            what: format!("{attempt}: {what}"),
        })?;
        let turn = self.check_turn(now, spec, copy.is_some());
        turn.map_err(|what| Violation {
            at: now,
            what: format!("{attempt}: {what}"),
        })?;
        let history = self.queries.get_mut(&attempt.query).expect("it was just there");
        let prefix = &spec.output.key_prefix;
        let is_own = must(history.prefixes.insert(hash(prefix)), || {
            format!("{attempt}: writes to {prefix}, as another does")
        });
        judge(now, is_own)?;
        let launch = Launch::new(spec, now, expires, history.deadline, copy);
        let turn = turns::check(history, &launch);
        judge(now, turn.map_err(|what| format!("{attempt}: {what}")))?;
        if turns::is_short(&self.bounds, &launch) {
            self.short.insert(attempt.clone());
        } else if launch.time_ms() <= self.bounds.short_turn_ms {
            self.brief.insert(attempt.clone());
        }
        history.launch(launch);
        self.open.insert(attempt.clone(), expires);
        self.expires_from = self.expires_from.min(expires);
        self.idle_since = None;
        let rule = self.check_width(spec);
        judge(now, rule.map_err(|what| format!("{attempt}: {what}")))
    }

    /// Looked at when the launch is in flight.
    fn check_width(&self, spec: &TaskSpec) -> Rule {
        let (short, max) = (self.short.len(), self.bounds.short_turns_max as usize);
        if self.short.contains(&spec.attempt) {
            return must(short <= max, || format!("{short} attempts in short turns, over {max}"));
        }
        // Some of the brief ones may be in short turns, too; this one, if there was one left, though more slots than there are may be taken since
        // they became fewer.
        if self.brief.contains(&spec.attempt) && short < max {
            return Ok(());
        }
        let beside = short + self.brief.len().min(max - short);
        self.width.check(self.open.len() - beside)
    }

    /// Whether somebody else should have been launched, or this one before.
    fn check_turn(&mut self, now: EpochMs, spec: &TaskSpec, is_copy: bool) -> Rule {
        let history = &self.queries[&spec.attempt.query];
        // What it saw in which order when it stood still is not known.
        if !self.width.is_known {
            return Ok(());
        }
        fleet::check_launch(history, now, self.alive_at)?;
        copies::check_turn(&mut self.copied, &spec.attempt, is_copy)?;
        if is_copy {
            return Ok(());
        }
        again::check_haste(&mut self.at_once, history, now, spec)?;
        self.width.check_wait(history, spec)
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
        let (bounds, alive_at) = (self.bounds, self.alive_at.filter(|_| self.width.is_known));
        let (woke, before) = self.slept;
        let seen = if woke == now { before } else { now };
        let history = self.queries.get_mut(query);
        let rule = match history {
            None => Err(format!("{query}: an unknown query ended")),
            Some(history) => outcome::check(history, now, outcome, &bounds)
                .and_then(|()| outcome::check_fleet(history, now, outcome, alive_at))
                .and_then(|()| bills::settle(history, seen, usage))
                .map_err(|what| format!("{query}: {what}"))
                .map(|()| history.outcome = Some(outcome.clone())),
        };
        self.note_idleness(now);
        judge(now, rule)?;
        self.stuck.take().map_or(Ok(()), Err)
    }

    /// The scheduler passed on what ended after its query.
    pub fn late(&mut self, now: EpochMs, attempt: &AttemptId, meter: &Meter, output: Option<&Output>) -> Verdict {
        self.pass_time(now);
        let Some(history) = self.queries.get_mut(&attempt.query) else {
            return judge(now, Err(format!("{attempt}: late for an unknown query")));
        };
        let rule = bills::late(history, attempt, meter).and_then(|()| match output {
            Some(output) => {
                history.passed_on.extend(object_key(output).cloned());
                garbage::check_time(history).and_then(|()| outcome::check_garbage(history, output))
            }
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

    /// The final record is durable, and this coordinator wrote it.
    pub fn durable(&mut self, query: &QueryId) {
        if let Some(history) = self.queries.get_mut(query) {
            history.is_durable = history.outcome.is_some();
        }
    }

    /// Nothing will happen any more.
    pub fn ended(&mut self, now: EpochMs) -> Verdict {
        self.pass_time(now);
        self.stuck.take().map_or(Ok(()), Err)?;
        let rule = self.queries.iter().try_for_each(|(query, history)| {
            must(history.is_over(), || format!("{query}: never ended"))?;
            must(history.late.is_empty(), || {
                format!("{query}: {} late meters were not passed on", history.late.len())
            })?;
            garbage::check_end(history).map_err(|what| format!("{query}: {what}"))
        });
        judge(now, rule)
    }

    /// Attempts expire by themselves; and if nothing has been in flight for too long, somebody was forgotten.
    fn pass_time(&mut self, now: EpochMs) {
        if now > self.seen {
            self.width.note_slack(self.seen, self.open.len());
            self.copied = None;
        }
        self.seen = now;
        self.expire(now);
        let max = Duration::from_millis(self.bounds.idle_ms_max);
        if self.stuck.is_none() && self.idle_since.is_some_and(|since| now > since + max) {
            let waiting = self.queries.iter().find(|(_, history)| !history.is_over());
            self.stuck = waiting.map(|(query, _)| Violation {
                at: now,
                what: format!(
                    "{query}: waits, and nothing has been in flight for {} ms",
                    max.as_millis()
                ),
            });
        }
    }

    fn note_idleness(&mut self, at: EpochMs) {
        let waiting = self.queries.values().any(|history| !history.is_over());
        if self.open.is_empty() && waiting {
            self.idle_since.get_or_insert(at);
        } else {
            self.idle_since = None;
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn judge(now: EpochMs, rule: Rule) -> Verdict {
    rule.map_err(|what| Violation { at: now, what })
}

fn discard(history: &mut History, attempt: &AttemptId, output: &Output) -> Rule {
    let key = object_key(output).ok_or("an inline output was discarded")?;
    garbage::check_time(history)?;
    garbage::check_loser(history, attempt.task, key)?;
    let published = history.published_by(attempt.task);
    let own = |published: &Published| published.attempt == *attempt && published.key() == Some(key);
    must(published.iter().any(own) || history.malformed.contains(key), || {
        format!("{key} was discarded and never published")
    })?;
    must(history.discarded.insert(key.clone()), || {
        format!("{key} was discarded twice")
    })
}
