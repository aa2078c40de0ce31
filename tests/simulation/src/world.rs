//! One seed from beginning to end: the loop that lets things happen. `world/news.rs` takes in what reaches a coordinator,
//! `world/command.rs` carries out what its scheduler decides, `world/append.rs` writes its records, `world/owner.rs` takes queries
//! over, `world/client.rs` is everybody outside, `world/mishap.rs` is bad luck.

mod append;
mod client;
mod command;
mod mishap;
mod news;
mod owner;
mod settings;

use crate::cloud::{Cloud, Moment};
use crate::coordinator::Coordinator;
use crate::coverage::Coverage;
use crate::executor::Execution;
use crate::faults::Faults;
use crate::heap::{Happening, Heap};
use crate::mishaps::Mishaps;
use crate::planned::{self, Planned};
use crate::random::{Streams, mix};
use crate::shelf::Shelf;
use crate::trace::{Trace, Tracing};
use mayfly_auditor::{Auditor, Chronicle, Violation};
use mayfly_cost::{Architecture, PriceBook};
use mayfly_protocol::{EpochMs, QueryId};
use mayfly_schedule::{Event, Scheduler, Settings};
use std::collections::BTreeMap;

/// A seed that takes more steps than this hangs.
const STEPS_MAX: u64 = 1_000_000;

/// How long an owner may be silent before its query is an orphan.
const LEASE_MS: u64 = 10_000;

/// How a seed went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first rule that was broken: `seed=17 t=2.310 s …`.
    pub broken: Option<String>,
    /// Of everything that happened, in order; if asked for.
    pub hash: u64,
    pub coverage: Coverage,
    /// Empty unless asked for.
    pub trace: String,
}

/// Runs one seed.
pub fn run(seed: u64, book: &PriceBook, tracing: Tracing) -> Run {
    let mut streams = Streams::new(seed);
    let faults = Faults::draw(&mut streams.faults);
    let mishaps = Mishaps::draw(&mut streams.coordination);
    World::new(seed, book, streams, faults, mishaps, tracing).run()
}

/// Runs one seed with its faults off: every query must succeed.
pub fn run_without_faults(seed: u64, book: &PriceBook) -> Run {
    World::new(
        seed,
        book,
        Streams::new(seed),
        Faults::NONE,
        Mishaps::NONE,
        Tracing::Off,
    )
    .run()
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
    settings: Settings,
    mishaps: Mishaps,
    coordinators: Vec<Coordinator>,
    shelf: Shelf,
    chronicle: Chronicle,
    cloud: Cloud,
    heap: Heap,
    queries: Vec<Planned>,
    by_id: BTreeMap<QueryId, usize>,
    coverage: Coverage,
    trace: Trace,
}

type Step = Result<(), String>;

impl<'a> World<'a> {
    fn new(
        seed: u64,
        book: &'a PriceBook,
        mut streams: Streams,
        faults: Faults,
        mishaps: Mishaps,
        tracing: Tracing,
    ) -> World<'a> {
        let settings = settings::draw(&mut streams);
        let cloud = Cloud::new(faults, &mut streams);
        let queries = planned::draw(&mut streams, &faults);
        let ids = queries.iter().enumerate();
        let mut world = World {
            seed,
            book,
            cloud,
            streams,
            now: EpochMs(0),
            steps: 0,
            chronicle: Chronicle::new(settings.starts_max),
            coordinators: Vec::new(),
            shelf: Shelf::new(queries.len()),
            heap: Heap::default(),
            by_id: ids.map(|(at, planned)| (planned.id.clone(), at)).collect(),
            queries,
            settings,
            mishaps,
            coverage: Coverage::default(),
            trace: Trace::new(tracing),
        };
        world.arrange();
        world
    }

    fn arrange(&mut self) {
        for (query, planned) in self.queries.iter().enumerate() {
            self.heap.arrange(planned.submitted, Happening::Submit { query });
        }
        for number in 0..self.mishaps.coordinators {
            let (scheduler, auditor) = self.mind(number, 0);
            self.coordinators.push(Coordinator::new(number, scheduler, auditor));
            let stream = &mut self.streams.coordination;
            self.mishaps.arrange(number, stream, &mut self.heap);
        }
    }

    /// What a coordinator begins its life with.
    fn mind(&self, number: usize, life: u32) -> (Scheduler, Auditor) {
        let seed = mix(mix(self.seed, 9 + number as u64), u64::from(life));
        let scheduler = Scheduler::new(self.settings.clone(), seed);
        (scheduler, Auditor::new(settings::bounds(&self.settings)))
    }

    fn run(mut self) -> Run {
        let result = self.steps().and_then(|()| self.judge_the_end());
        let broken = result.err().map(|what| format!("seed={} {what}", self.seed));
        for coordinator in 0..self.coordinators.len() {
            self.count_branches(coordinator);
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

    fn count_branches(&mut self, coordinator: usize) {
        let counters = self.coordinators[coordinator].scheduler.counters();
        self.coverage.add_branches(&counters);
    }

    /// Until nothing is arranged and nothing awaited. Timeouts come before what happens at the same moment.
    fn steps(&mut self) -> Step {
        loop {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(self.say("does not come to an end"));
            }
            self.cancel_if_due()?;
            let woken = self.coordinators.iter();
            let woken = woken.filter_map(|coordinator| Some((coordinator.wakes_at()?, coordinator.number)));
            match (woken.min(), self.heap.next()) {
                (None, None) => return Ok(()),
                (Some((at, coordinator)), next) if next.is_none_or(|next| at <= next) => {
                    self.now = self.now.max(at);
                    self.wake(coordinator)?;
                }
                _ => {
                    let (at, happening) = self.heap.pop().expect("it was just seen");
                    self.now = self.now.max(at);
                    self.happen(happening)?;
                }
            }
        }
    }

    /// A scheduler's timeout has come.
    fn wake(&mut self, c: usize) -> Step {
        let local = self.local(c);
        self.coordinators[c].scheduler.handle_timeout(local);
        self.drain(c)
    }

    fn happen(&mut self, happening: Happening) -> Step {
        match happening {
            Happening::Submit { query } => self.submit(query),
            Happening::Poll { query } => self.poll(query),
            Happening::Cancel { query } => self.cancel(query),
            Happening::Message { query } => self.message(query),
            Happening::Begin { execution } => self.begin(&execution),
            Happening::Publish { report } => {
                self.chronicle.published(&report);
                self.cloud.publish(&report);
                Ok(())
            }
            Happening::LoseObject { key, damaged } => {
                if self.cloud.lose(&key, damaged) {
                    self.trace
                        .note(self.now, format_args!("lose {key}, damaged: {damaged}"));
                }
                Ok(())
            }
            Happening::Land {
                query,
                sequence,
                record,
                reply,
            } => self.land(query, sequence, &record, reply),
            Happening::Deliver { to, news } => self.deliver(to, news),
            Happening::Mishap { coordinator, mishap } => self.strike(coordinator, mishap),
        }
    }

    fn begin(&mut self, execution: &Execution) -> Step {
        let (attempt, nonce) = (&execution.spec.attempt, execution.nonce);
        self.trace.note(self.now, format_args!("begin {attempt}#{nonce}"));
        let mut moment = moment(self.now, &mut self.streams, &mut self.heap, &mut self.coverage);
        let result = self.cloud.execute(execution, &mut moment);
        result.map_err(|what| self.say(&what))
    }

    fn handle(&mut self, c: usize, event: Event) {
        let local = self.local(c);
        self.coordinators[c].scheduler.handle(local, event);
    }

    fn local(&mut self, c: usize) -> EpochMs {
        self.coordinators[c].local(self.now)
    }

    fn say(&self, what: &str) -> String {
        let what = what.to_owned();
        Violation { at: self.now, what }.to_string()
    }
}

fn moment<'a>(now: EpochMs, streams: &'a mut Streams, heap: &'a mut Heap, coverage: &'a mut Coverage) -> Moment<'a> {
    Moment {
        now,
        streams,
        heap,
        coverage,
    }
}

fn text(violation: Violation) -> String {
    violation.to_string()
}
