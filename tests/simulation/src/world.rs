//! One seed from beginning to end: the loop that hands events to the scheduler and carries out its commands.

use crate::cloud::Cloud;
use crate::coverage::Coverage;
use crate::faults::Faults;
use crate::graphs::{self, Modelled};
use crate::heap::{Happening, Heap};
use crate::oracle;
use crate::random::{Streams, chance, mix};
use crate::trace::Trace;
use mayfly_auditor::{Auditor, Bounds};
use mayfly_cost::{Architecture, PriceBook};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{AttemptId, EpochMs, Meter, Output, QueryId, StageId};
use mayfly_schedule::{Command, Event, Scheduler, Settings, Usage};
use rand::Rng;
use std::collections::BTreeMap;
use std::time::Duration;

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

struct Planned {
    id: QueryId,
    modelled: Modelled,
    deadline: EpochMs,
    /// The step before which it is canceled.
    cancel_at: Option<u64>,
    usage: Usage,
}

struct World<'a> {
    seed: u64,
    book: &'a PriceBook,
    streams: Streams,
    faults: Faults,
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
        let bounds = Bounds {
            concurrency_max: settings.concurrency_max,
            answer_grace_ms: settings.answer_grace_ms,
            retries_min: settings.retries_min,
            retries_percent: settings.retries_percent,
            fleet_dead_ms: settings.fleet_dead_ms,
        };
        let mut world = World {
            seed,
            book,
            cloud: Cloud::new(faults, &mut streams),
            streams,
            faults,
            now: EpochMs(0),
            steps: 0,
            scheduler: Scheduler::new(settings, mix(seed, 9)),
            auditor: Auditor::new(bounds),
            heap: Heap::default(),
            queries: Vec::new(),
            by_id: BTreeMap::new(),
            coverage: Coverage::default(),
            trace: Trace::new(trace),
        };
        world.arrange_queries();
        world
    }

    fn arrange_queries(&mut self) {
        let count = self.streams.graphs.random_range(1..=3);
        for index in 0..count {
            let at = EpochMs(self.streams.graphs.random_range(0..4_000));
            let modelled = graphs::draw(&mut self.streams.graphs, &self.faults);
            // Without faults there is always time enough.
            let time_ms =
                self.streams.graphs.random_range(20_000..400_000) + if self.faults.lost == 0.0 { 200_000 } else { 0 };
            let cancel = chance(&mut self.streams.faults, self.faults.canceled);
            let step = self.streams.faults.random_range(1..200);
            let id: QueryId = format!("q{index}").parse().expect("letters and digits");
            self.by_id.insert(id.clone(), index);
            self.queries.push(Planned {
                id,
                modelled,
                deadline: at + Duration::from_millis(time_ms),
                cancel_at: cancel.then_some(step),
                usage: Usage::default(),
            });
            self.heap.arrange(at, Happening::Submit { query: index });
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
            Happening::Begin { execution } => {
                self.trace.note(
                    self.now,
                    format_args!("begin {}#{}", execution.spec.attempt, execution.nonce),
                );
                self.cloud
                    .execute(
                        self.now,
                        *execution,
                        &mut self.streams,
                        &mut self.heap,
                        &mut self.coverage,
                    )
                    .map_err(|what| self.say(&what))?;
            }
            Happening::Report { report, meter } => {
                self.trace
                    .note(self.now, format_args!("report {}#{}", report.attempt, report.nonce));
                self.auditor.reported(self.now, &report, &meter);
                let attempt = report.attempt.clone();
                let answer = report;
                self.scheduler
                    .handle(self.now, Event::Reported { attempt, answer, meter });
            }
            Happening::Fail {
                attempt,
                failure,
                meter,
            } => {
                self.trace.note(self.now, format_args!("fail {attempt} {failure}"));
                self.auditor.failed(self.now, &attempt, &failure, &meter);
                self.scheduler.handle(
                    self.now,
                    Event::Failed {
                        attempt,
                        failure,
                        meter,
                    },
                );
            }
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
        self.trace.note(
            self.now,
            format_args!("submit {}: {}", planned.id, shape(&planned.modelled)),
        );
        self.auditor
            .submitted(planned.id.clone(), 1, &planned.modelled.graph, planned.deadline);
        self.scheduler.handle(
            self.now,
            Event::Submitted {
                query: planned.id.clone(),
                epoch: 1,
                graph: planned.modelled.graph.clone(),
                deadline: planned.deadline,
                memory_bytes_max: None,
            },
        );
    }

    fn drain(&mut self) -> Step {
        while let Some(command) = self.scheduler.poll_command() {
            self.carry_out(command)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, command: Command) -> Step {
        match command {
            Command::PutPlan { key, .. } => {
                self.trace.note(self.now, format_args!("  > put {key}"));
                self.coverage.hit("branch plan put");
            }
            Command::Invoke { spec, size } => {
                self.trace.note(
                    self.now,
                    format_args!("  > invoke {} {} MB", spec.attempt, size.memory_mb()),
                );
                self.auditor
                    .invoked(self.now, &spec)
                    .map_err(|violation| self.broken(&violation))?;
                let query = &self.queries[self.by_id[&spec.attempt.query]].modelled;
                let nature = query.natures[spec.attempt.task.stage.index as usize];
                self.cloud.invoke(
                    self.now,
                    *spec,
                    nature,
                    &mut self.streams,
                    &mut self.heap,
                    &mut self.coverage,
                );
            }
            Command::Finish {
                query, outcome, usage, ..
            } => self.finish(&query, outcome, usage)?,
            Command::Late {
                attempt, meter, output, ..
            } => self.late(&attempt, meter, output)?,
            Command::Discard { attempt, output, .. } => {
                self.trace.note(self.now, format_args!("  > discard {attempt}"));
                let verdict = self.auditor.discarded(self.now, &attempt, &output);
                verdict.map_err(|violation| self.broken(&violation))?;
                self.cloud.delete(&output);
            }
        }
        Ok(())
    }

    fn finish(&mut self, query: &QueryId, outcome: Outcome, usage: Usage) -> Step {
        self.trace
            .note(self.now, format_args!("  > finish {query} {}", ending(&outcome)));
        self.coverage.hit(&format!("end {}", ending(&outcome)));
        let verdict = self.auditor.finished(self.now, query, &outcome, &usage.stages);
        verdict.map_err(|violation| self.broken(&violation))?;
        let planned = &mut self.queries[self.by_id[query]];
        planned.usage = usage;
        if let Outcome::Finished { outputs, .. } = &outcome
            && let Some(answer) = oracle::answer(&planned.modelled)
        {
            let wrong = outputs
                .iter()
                .zip(&answer)
                .any(|(output, right)| output.partitions != *right);
            if wrong || outputs.len() != answer.len() {
                return Err(self.say(&format!("{query}: a wrong answer")));
            }
            self.coverage.hit("end answer equals the oracle's");
        }
        Ok(())
    }

    fn late(&mut self, attempt: &AttemptId, meter: Meter, output: Option<Output>) -> Step {
        self.trace.note(self.now, format_args!("  > late {attempt}"));
        let verdict = self.auditor.late(self.now, attempt, &meter, output.as_ref());
        verdict.map_err(|violation| self.broken(&violation))?;
        self.queries[self.by_id[&attempt.query]]
            .usage
            .add(attempt.task.stage, meter);
        if let Some(output) = output {
            self.cloud.delete(&output);
        }
        Ok(())
    }

    fn judge_the_end(&mut self) -> Step {
        self.auditor
            .ended(self.now)
            .map_err(|violation| self.broken(&violation))?;
        if !self.scheduler.is_idle() || self.scheduler.in_flight() > 0 {
            return Err(self.say("the scheduler still holds something"));
        }
        for planned in &self.queries {
            let stages = planned.usage.stages.iter();
            let usage: BTreeMap<Option<StageId>, Meter> = stages.map(|(stage, meter)| (Some(*stage), *meter)).collect();
            let bill = mayfly_cost::bill(self.book, &usage);
            self.trace
                .note(self.now, format_args!("bill {} {}", planned.id, bill.total));
        }
        Ok(())
    }

    fn broken(&self, violation: &mayfly_auditor::Violation) -> String {
        violation.to_string()
    }

    fn say(&self, what: &str) -> String {
        format!("t={}.{:03} s {what}", self.now.0 / 1_000, self.now.0 % 1_000)
    }
}

fn ending(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Finished { .. } => "finished",
        Outcome::Failed { error } => error.code.name(),
        Outcome::Canceled => "canceled",
    }
}

/// `s0×3 s1×2←s0`, for traces.
fn shape(modelled: &Modelled) -> String {
    let stages = modelled.graph.stages.iter().map(|stage| {
        let inputs: Vec<String> = stage.inputs.iter().map(|input| input.stage.to_string()).collect();
        let from = if inputs.is_empty() {
            String::new()
        } else {
            format!("←{}", inputs.join("+"))
        };
        format!("{}×{}{from}", stage.id, stage.tasks.len())
    });
    stages.collect::<Vec<_>>().join(" ")
}

/// The prices that simulated bills use.
pub fn price_book() -> PriceBook {
    PriceBook::us_east_1(Architecture::X86_64)
}
