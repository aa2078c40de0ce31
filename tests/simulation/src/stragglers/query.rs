//! One query: two hundred scans and a task that reads what they found, through the real scheduler, each attempt answered when its
//! time has passed.

use super::{Model, Outcome};
use crate::random::{chance, mix};
use mayfly_protocol::{
    AttemptId, EpochMs, Exchange, ExchangeKind, FileRange, FunctionSize, InputRead, Meter, Nonce, Output,
    OutputLocation, PartitionDigest, PartitionEntry, PlanBytes, Split, Stage, StageGraph, StageId, StageInput,
    TaskReport, TaskSpec, TaskStatistics, TaskTemplate,
};
use mayfly_schedule::{Command, Event, QueryLimits, Scheduler, Settings};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const TASKS: u32 = 200;
const MIB: u64 = 1 << 20;
/// Bytes per millisecond of an attempt that is neither fast nor slow: 32 MiB/s.
const PACE: f64 = 33_554.432;
const PACE_SIGMA: f64 = 0.2;
const STRAGGLES: f64 = 0.01;
const SLOWER: f64 = 10.0;

/// An attempt under way.
struct Flight {
    spec: TaskSpec,
    billed_ms: u64,
}

struct Query {
    seed: u64,
    model: Model,
    scheduler: Scheduler,
    now: EpochMs,
    flights: BTreeMap<AttemptId, Flight>,
    /// Answers to come.
    arriving: BTreeSet<(EpochMs, AttemptId)>,
    outcome: Outcome,
}

pub(super) fn run(seed: u64, model: Model) -> Outcome {
    let settings = Settings {
        task_duration_ms: 600_000,
        speculation: model.speculation,
        ..Settings::default()
    };
    let query = Query {
        seed,
        model,
        scheduler: Scheduler::new(settings, seed),
        now: EpochMs(0),
        flights: BTreeMap::new(),
        arriving: BTreeSet::new(),
        outcome: Outcome::default(),
    };
    query.run()
}

impl Query {
    fn run(mut self) -> Outcome {
        self.scheduler.handle(self.now, submission(self.seed));
        self.drain();
        while let Some((at, attempt)) = self.arriving.first().cloned() {
            match self.scheduler.poll_timeout() {
                Some(timeout) if timeout <= at => {
                    self.now = timeout;
                    self.scheduler.handle_timeout(timeout);
                }
                _ => {
                    self.now = at;
                    self.arriving.pop_first();
                    self.answer(attempt);
                }
            }
            self.drain();
        }
        let counters = self.scheduler.counters();
        (self.outcome.copies, self.outcome.copies_won) = (counters.copies, counters.copies_won);
        self.outcome
    }

    fn drain(&mut self) {
        while let Some(command) = self.scheduler.poll_command() {
            match command {
                Command::Invoke { spec, .. } => self.invoke(*spec),
                Command::Finish { .. } => self.outcome.latency_ms.push(self.now.0),
                _ => {}
            }
        }
    }

    fn invoke(&mut self, spec: TaskSpec) {
        let (attempt, [start_ms, run_ms]) = (spec.attempt.clone(), self.draw(&spec));
        let at = self.now + Duration::from_millis(start_ms + run_ms);
        self.arriving.insert((at, attempt.clone()));
        self.flights.insert(
            attempt,
            Flight {
                spec,
                billed_ms: run_ms,
            },
        );
    }

    /// How long the attempt takes to start and to run. The same of every run of the same seed.
    fn draw(&self, spec: &TaskSpec) -> [u64; 2] {
        let attempt = &spec.attempt;
        let place = u64::from(attempt.task.stage.index) << 32 | u64::from(attempt.task.index);
        let mut stream = SmallRng::seed_from_u64(mix(mix(self.seed, place), u64::from(attempt.number)));
        let start_ms = match chance(&mut stream, 0.1) {
            true => stream.random_range(90..350),
            false => stream.random_range(12..60),
        };
        let bytes: u64 = spec
            .scans
            .iter()
            .flat_map(|scan| &scan.splits)
            .map(|split| split.scan_bytes)
            .sum();
        let run_ms = (bytes.max(4 * MIB) as f64 / PACE) * (PACE_SIGMA * normal(&mut stream)).exp();
        let may_straggle = if attempt.number == 0 {
            self.model.attempts_straggle
        } else {
            self.model.copies_straggle
        };
        let straggles = chance(&mut stream, STRAGGLES) && may_straggle;
        [start_ms, (run_ms * if straggles { SLOWER } else { 1.0 }) as u64]
    }

    fn answer(&mut self, attempt: AttemptId) {
        let flight = self.flights.remove(&attempt).expect("it was launched");
        self.outcome.billed_ms += flight.billed_ms;
        let answer = Box::new(report(&flight.spec));
        let size_mb = u64::from(flight.spec.size.memory_mb());
        let meter = Meter {
            invocations: 1,
            billed_ms: flight.billed_ms,
            billed_mb_ms: flight.billed_ms * size_mb,
            ..Meter::default()
        };
        self.scheduler
            .handle(self.now, Event::Reported { attempt, answer, meter });
    }
}

fn submission(seed: u64) -> Event {
    let mut stream = SmallRng::seed_from_u64(mix(seed, 1));
    let scans = (0..TASKS).map(|task| scan(task, stream.random_range(32 * MIB..96 * MIB)));
    let read = StageInput {
        input: 0,
        stage: StageId::new(0),
        read: InputRead::All,
    };
    Event::Submitted {
        query: "q".parse().expect("a letter"),
        epoch: 1,
        graph: StageGraph {
            stages: vec![
                stage(0, ExchangeKind::Broadcast, scans.collect(), Vec::new()),
                stage(1, ExchangeKind::Result, vec![TaskTemplate::default()], vec![read]),
            ],
            settings: BTreeMap::new(),
            alternatives: Vec::new(),
        },
        deadline: EpochMs(3_600_000),
        limits: QueryLimits::default(),
    }
}

fn stage(index: u32, kind: ExchangeKind, tasks: Vec<TaskTemplate>, inputs: Vec<StageInput>) -> Stage {
    Stage {
        id: StageId::new(index),
        plan: PlanBytes::new(vec![index as u8]),
        inputs,
        tasks,
        output: Exchange { kind, partitions: 1 },
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 0,
        enough_rows: None,
        after: None,
        regroup: None,
    }
}

fn scan(task: u32, scan_bytes: u64) -> TaskTemplate {
    let split = Split {
        bucket: "lake".to_owned(),
        key: format!("{task}.parquet"),
        etag: "1".to_owned(),
        size_bytes: scan_bytes,
        range: FileRange::All,
        scan_bytes,
        rows: 1,
        partition_values: Vec::new(),
    };
    TaskTemplate {
        scans: vec![vec![split]],
        ..TaskTemplate::default()
    }
}

fn report(spec: &TaskSpec) -> TaskReport {
    TaskReport {
        attempt: spec.attempt.clone(),
        nonce: Nonce(u64::from(spec.attempt.number)),
        output: Output {
            location: OutputLocation::Inline { bytes: vec![0] },
            partitions: vec![PartitionEntry {
                len_bytes: 1,
                rows: 1,
                digest: PartitionDigest(1),
            }],
        },
        pin_digest: spec.pin_digest,
        meter: Meter::default(),
        statistics: TaskStatistics::default(),
    }
}

/// Standard normal, by Box and Muller.
fn normal(stream: &mut SmallRng) -> f64 {
    let (radius, angle): (f64, f64) = (stream.random(), stream.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}
