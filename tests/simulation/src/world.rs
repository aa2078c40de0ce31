//! One seed from beginning to end: the loop that hands events to the scheduler. `world/command.rs` carries out what it decides.

mod command;

use crate::cloud::{Cloud, Moment};
use crate::coverage::Coverage;
use crate::executor::Execution;
use crate::faults::Faults;
use crate::heap::{Happening, Heap};
use crate::planned::{self, Planned};
use crate::random::{Streams, mix};
use crate::trace::Trace;
use mayfly_auditor::{Auditor, Bounds, Violation};
use mayfly_cost::{Architecture, PriceBook};
use mayfly_protocol::{AttemptId, EpochMs, Failure, Meter, QueryId, TaskReport};
use mayfly_schedule::{Event, Scheduler, Settings};
use rand::Rng;
use std::collections::BTreeMap;

/// A seed that takes more steps than this hangs.
const STEPS_MAX: u64 = 1_000_000;

/// How a seed went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first rule that was broken: `seed=17 t=2.310 s …`.
    pub broken: Option<String>,
    /// Of everything that happened, in order.
    pub hash: u64,
    pub coverage: Coverage,
    /// Empty unless asked for.
    pub trace: String,
}

/// Runs one seed.
pub fn run(seed: u64, book: &PriceBook, trace: bool) -> Run {
    let mut streams = Streams::new(seed);
    let faults = Faults::draw(&mut streams.faults);
    World::new(seed, book, streams, faults, trace).run()
}

/// Runs one seed with its faults off: every query must succeed.
pub fn run_without_faults(seed: u64, book: &PriceBook) -> Run {
    World::new(seed, book, Streams::new(seed), Faults::NONE, false).run()
}

/// The prices that simulated bills use.
pub fn price_book() -> PriceBook {
    PriceBook::us_east_1(Architecture::X86_64)
}

struct World<'a> {
    seed: u64,
    book: &'a PriceBook,
    streams: Streams,
    now: EpochMs,
    steps: u64,
    scheduler: Scheduler,
    auditor: Auditor,
    cloud: Cloud,
    heap: Heap,
    queries: Vec<Planned>,
    by_id: BTreeMap<QueryId, usize>,
    coverage: Coverage,
    trace: Trace,
}

type Step = Result<(), String>;

impl<'a> World<'a> {
    fn new(seed: u64, book: &'a PriceBook, mut streams: Streams, faults: Faults, trace: bool) -> World<'a> {
        let settings = Settings {
            concurrency_max: streams.graphs.random_range(1..=24),
            task_duration_ms: streams.graphs.random_range(10_000..=60_000),
            ..Settings::default()
        };
        let cloud = Cloud::new(faults, &mut streams);
        let queries = planned::draw(&mut streams, &faults);
        let mut heap = Heap::default();
        for (query, planned) in queries.iter().enumerate() {
            heap.arrange(planned.submitted, Happening::Submit { query });
        }
        let ids = queries.iter().enumerate();
        World {
            seed,
            book,
            cloud,
            streams,
            now: EpochMs(0),
            steps: 0,
            auditor: Auditor::new(bounds(&settings)),
            scheduler: Scheduler::new(settings, mix(seed, 9)),
            heap,
            by_id: ids.map(|(at, planned)| (planned.id.clone(), at)).collect(),
            queries,
            coverage: Coverage::default(),
            trace: Trace::new(trace),
        }
    }

    fn run(mut self) -> Run {
        let result = self.steps().and_then(|()| self.judge_the_end());
        let broken = result.err().map(|what| format!("seed={} {what}", self.seed));
        for (name, count) in self.scheduler.counters().entries() {
            self.coverage.add(&format!("branch {name}"), count);
        }
        if let Some(broken) = &broken {
            self.trace.note(self.now, format_args!("BROKEN {broken}"));
        }
        let (hash, trace) = self.trace.finish();
        Run {
            broken,
            hash,
            coverage: self.coverage,
            trace,
        }
    }

    /// Until nothing is arranged and nothing awaited. Timeouts come before what happens at the same moment.
    fn steps(&mut self) -> Step {
        loop {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(self.say("does not come to an end"));
            }
            self.cancel_if_due()?;
            match (self.scheduler.poll_timeout(), self.heap.next()) {
                (None, None) => return Ok(()),
                (Some(timeout), next) if next.is_none_or(|at| timeout <= at) => {
                    self.now = self.now.max(timeout);
                    self.scheduler.handle_timeout(self.now);
                }
                _ => {
                    let (at, happening) = self.heap.pop().expect("it was just seen");
                    self.now = self.now.max(at);
                    self.happen(happening)?;
                }
            }
            self.drain()?;
        }
    }

    fn cancel_if_due(&mut self) -> Step {
        for at in 0..self.queries.len() {
            if self.queries[at].cancel_at == Some(self.steps) {
                let query = self.queries[at].id.clone();
                // A cancel of what is not yet submitted, or over, is legal and changes nothing.
                self.trace.note(self.now, format_args!("cancel {query}"));
                self.coverage.hit("fault canceled");
                self.auditor.canceled(&query);
                self.scheduler.handle(self.now, Event::Canceled { query });
                self.drain()?;
            }
        }
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Step {
        match happening {
            Happening::Submit { query } => self.submit(query),
            Happening::Begin { execution } => return self.begin(&execution),
            Happening::Report { report, meter } => self.report(report, meter),
            Happening::Fail {
                attempt,
                failure,
                meter,
            } => self.fail(attempt, failure, meter),
            Happening::LoseObject { key } => {
                if self.cloud.lose(&key) {
                    self.trace.note(self.now, format_args!("lose {key}"));
                }
            }
        }
        Ok(())
    }

    fn submit(&mut self, query: usize) {
        let planned = &self.queries[query];
        let (id, graph, deadline) = (&planned.id, &planned.modelled.graph, planned.deadline);
        self.trace.note(self.now, format_args!("submit {}", planned.shape()));
        self.auditor.submitted(self.now, id.clone(), 1, graph, deadline);
        let event = Event::Submitted {
            query: id.clone(),
            epoch: 1,
            graph: graph.clone(),
            deadline,
            limits: mayfly_schedule::QueryLimits::default(),
        };
        self.scheduler.handle(self.now, event);
    }

    fn begin(&mut self, execution: &Execution) -> Step {
        let (attempt, nonce) = (&execution.spec.attempt, execution.nonce);
        self.trace.note(self.now, format_args!("begin {attempt}#{nonce}"));
        let mut moment = Moment {
            now: self.now,
            streams: &mut self.streams,
            heap: &mut self.heap,
            coverage: &mut self.coverage,
        };
        let result = self.cloud.execute(execution, &mut moment);
        result.map_err(|what| self.say(&what))
    }

    fn report(&mut self, report: Box<TaskReport>, meter: Meter) {
        let attempt = report.attempt.clone();
        self.trace
            .note(self.now, format_args!("report {attempt}#{}", report.nonce));
        self.auditor.reported(self.now, &report, &meter);
        let event = Event::Reported {
            attempt,
            answer: report,
            meter,
        };
        self.scheduler.handle(self.now, event);
    }

    fn fail(&mut self, attempt: AttemptId, failure: Failure, meter: Meter) {
        self.trace.note(self.now, format_args!("fail {attempt} {failure}"));
        self.auditor.failed(self.now, &attempt, &failure, &meter);
        let event = Event::Failed {
            attempt,
            failure,
            meter,
        };
        self.scheduler.handle(self.now, event);
    }

    fn say(&self, what: &str) -> String {
        let what = what.to_owned();
        Violation { at: self.now, what }.to_string()
    }
}

fn bounds(settings: &Settings) -> Bounds {
    Bounds {
        concurrency_max: settings.concurrency_max,
        answer_grace_ms: settings.answer_grace_ms,
        retries_min: settings.retries_min,
        retries_percent: settings.retries_percent,
        fleet_dead_ms: settings.fleet_dead_ms,
        idle_ms_max: settings.backoff_ms_max,
    }
}
