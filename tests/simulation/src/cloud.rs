//! The modelled cloud: takes invocations, decides by the seed what goes wrong with each, and arranges what the driver will hear.

use crate::content::Nature;
use crate::coverage::Coverage;
use crate::executor::{Bucket, Execution, Reading};
use crate::faults::Faults;
use crate::heap::{Happening, Heap};
use crate::random::{Streams, chance};
use mayfly_protocol::{
    AttemptId, EpochMs, ErrorCode, Failure, Meter, Nonce, Output, OutputLocation, PartitionEntry, TaskReport, TaskSpec,
    limits,
};
use rand::Rng;
use std::time::Duration;

/// The driver gives up on an Invoke this long after the task's deadline.
const DRIVER_GRACE_MS: u64 = 5_000;

pub(crate) struct Cloud {
    faults: Faults,
    bucket: Bucket,
    warm: u32,
    throttled_until: EpochMs,
    /// From then on nothing runs.
    dead_from: Option<EpochMs>,
}

/// How an answer travels.
#[derive(Clone, Copy)]
enum Delivery {
    Once,
    Twice,
    Late,
    Never,
    /// Never, but the driver notices.
    Noticed,
}

impl Cloud {
    pub fn new(faults: Faults, streams: &mut Streams) -> Cloud {
        let dead = chance(&mut streams.faults, faults.fleet_dead);
        let from = EpochMs(streams.faults.random_range(0..3_000));
        Cloud {
            faults,
            bucket: Bucket::new(),
            warm: 0,
            throttled_until: EpochMs(0),
            dead_from: dead.then_some(from),
        }
    }

    /// Takes an Invoke.
    pub fn invoke(
        &mut self,
        now: EpochMs,
        spec: TaskSpec,
        nature: Nature,
        streams: &mut Streams,
        heap: &mut Heap,
        coverage: &mut Coverage,
    ) {
        if self.dead_from.is_some_and(|from| now >= from) {
            coverage.hit("fault fleet dead");
            return self.refuse(now, spec.attempt, streams, heap);
        }
        if now >= self.throttled_until && chance(&mut streams.faults, self.faults.throttled / 4.0) {
            let burst = streams.faults.random_range(50..3_000);
            self.throttled_until = now + Duration::from_millis(burst);
        }
        if now < self.throttled_until {
            coverage.hit("fault throttled");
            return self.refuse(now, spec.attempt, streams, heap);
        }
        if chance(&mut streams.faults, self.faults.duplicate_execution) {
            coverage.hit("fault duplicate execution");
            let delay = skewed(streams, 60_000);
            self.begin(now, delay, spec.clone(), nature, true, streams, heap);
        }
        self.begin(now, 0, spec, nature, false, streams, heap);
    }

    /// An executor has begun: what it reads, what it does, and how its answer travels.
    pub fn execute(
        &mut self,
        now: EpochMs,
        execution: Execution,
        streams: &mut Streams,
        heap: &mut Heap,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let stop = EpochMs(execution.spec.deadline.0.saturating_sub(limits::DEADLINE_MARGIN_MS));
        if now >= stop {
            // Delivered when its time was over: it returns at once, and nobody listens to the second delivery of a dead order.
            coverage.hit("fault delivered past its deadline");
            return Ok(());
        }
        let read = match execution.read(&self.bucket) {
            Reading::Wrong(what) => return Err(what),
            Reading::Lost(failure) => {
                coverage.hit("fault object missing");
                let meter = execution.meter(20, None);
                self.answer_failure(now, 20, execution, failure, meter, streams, heap, coverage);
                return Ok(());
            }
            Reading::Whole(read) => read,
        };
        let straggles = chance(&mut streams.faults, self.faults.straggler);
        let mut run_ms = streams.latency.random_range(10..600);
        if straggles {
            coverage.hit("fault straggler");
            run_ms *= streams.latency.random_range(5..50);
        }
        if let Some(failure) = self.draw_failure(&execution, streams, coverage) {
            let meter = execution.meter(run_ms, None);
            self.answer_failure(now, run_ms, execution, failure, meter, streams, heap, coverage);
            return Ok(());
        }
        if now + Duration::from_millis(run_ms) > stop {
            coverage.hit("fault timed out");
            let run_ms = stop.0 - now.0;
            let failure = Failure::TimedOut {
                message: "stopped before the deadline".to_owned(),
            };
            let meter = execution.meter(run_ms, None);
            self.answer_failure(now, run_ms, execution, failure, meter, streams, heap, coverage);
            return Ok(());
        }
        let report = execution.publish(read);
        self.keep(now, run_ms, &execution, &report, streams, heap, coverage);
        self.answer_report(now, run_ms, execution, report, streams, heap, coverage);
        Ok(())
    }

    pub fn delete(&mut self, output: &Output) {
        if let OutputLocation::Object { key, .. } = &output.location {
            self.bucket.remove(key);
        }
    }

    /// Whether there was something to lose.
    pub fn lose(&mut self, key: &str) -> bool {
        self.bucket.remove(key).is_some()
    }

    fn refuse(&self, now: EpochMs, attempt: AttemptId, streams: &mut Streams, heap: &mut Heap) {
        let told = chance(&mut streams.faults, 0.5);
        let retry_after_ms = told.then(|| streams.faults.random_range(10..2_000));
        let failure = Failure::Throttled { retry_after_ms };
        let at = now + Duration::from_millis(streams.latency.random_range(2..20));
        heap.arrange(
            at,
            Happening::Fail {
                attempt,
                failure,
                meter: Meter::default(),
            },
        );
    }

    fn begin(
        &mut self,
        now: EpochMs,
        delay_ms: u64,
        spec: TaskSpec,
        nature: Nature,
        again: bool,
        streams: &mut Streams,
        heap: &mut Heap,
    ) {
        let cold = self.warm == 0;
        let start_ms = match cold {
            true => streams.latency.random_range(90..350),
            false => streams.latency.random_range(12..60),
        };
        self.warm = self.warm.saturating_sub(1);
        let execution = Box::new(Execution {
            spec,
            nonce: Nonce(streams.nonces.random()),
            nature,
            cold,
            again,
        });
        heap.arrange(
            now + Duration::from_millis(delay_ms + start_ms),
            Happening::Begin { execution },
        );
    }

    fn draw_failure(&self, execution: &Execution, streams: &mut Streams, coverage: &mut Coverage) -> Option<Failure> {
        let message = || "as the seed says".to_owned();
        let faults = &self.faults;
        let size = execution.spec.size as u64;
        if execution.nature.hunger(execution.spec.attempt.task) > size {
            coverage.hit("fault hungry");
            return Some(Failure::NeedsMemory { message: message() });
        }
        let mut drawn = |name: &str, probability: f64| {
            let hit = chance(&mut streams.faults, probability);
            if hit {
                coverage.hit(name);
            }
            hit
        };
        if drawn("fault transient", faults.transient) {
            return Some(Failure::Transient { message: message() });
        }
        if drawn("fault environment lost", faults.environment_lost) {
            return Some(Failure::EnvironmentLost { message: message() });
        }
        if drawn("fault memory", faults.memory) {
            return Some(Failure::NeedsMemory { message: message() });
        }
        if drawn("fault broken", faults.broken) {
            return Some(Failure::Broken { message: message() });
        }
        drawn("fault user error", faults.user_error)
            .then(|| Failure::user(ErrorCode::DivisionByZero, "division by zero"))
    }

    /// Puts the object into the bucket, perhaps not for long.
    fn keep(
        &mut self,
        now: EpochMs,
        run_ms: u64,
        execution: &Execution,
        report: &TaskReport,
        streams: &mut Streams,
        heap: &mut Heap,
        coverage: &mut Coverage,
    ) {
        let OutputLocation::Object { key, .. } = &report.output.location else {
            return;
        };
        self.bucket.insert(key.clone(), report.output.clone());
        let cursed = execution.nature.is_cursed(execution.spec.attempt.task);
        if cursed || chance(&mut streams.faults, self.faults.object_lost) {
            coverage.hit(if cursed { "fault cursed" } else { "fault object lost" });
            let later = if cursed { 0 } else { skewed(streams, 3_000) };
            let at = now + Duration::from_millis(run_ms + later);
            heap.arrange(at, Happening::LoseObject { key: key.clone() });
        }
    }

    fn answer_report(
        &mut self,
        now: EpochMs,
        run_ms: u64,
        execution: Execution,
        mut report: TaskReport,
        streams: &mut Streams,
        heap: &mut Heap,
        coverage: &mut Coverage,
    ) {
        let meter = execution.meter(run_ms, Some(&report.output));
        if chance(&mut streams.faults, self.faults.malformed) {
            coverage.hit("fault malformed report");
            report.output.partitions.push(PartitionEntry::default());
        }
        self.warm += 1;
        let at = now + Duration::from_millis(run_ms);
        let answer = || Happening::Report {
            report: Box::new(report.clone()),
            meter,
        };
        self.deliver(at, &execution, answer, streams, heap, coverage);
    }

    fn answer_failure(
        &mut self,
        now: EpochMs,
        run_ms: u64,
        execution: Execution,
        failure: Failure,
        meter: Meter,
        streams: &mut Streams,
        heap: &mut Heap,
        coverage: &mut Coverage,
    ) {
        let at = now + Duration::from_millis(run_ms);
        let answer = || Happening::Fail {
            attempt: execution.spec.attempt.clone(),
            failure: failure.clone(),
            meter,
        };
        self.deliver(at, &execution, answer, streams, heap, coverage);
    }

    fn deliver(
        &self,
        at: EpochMs,
        execution: &Execution,
        answer: impl Fn() -> Happening,
        streams: &mut Streams,
        heap: &mut Heap,
        coverage: &mut Coverage,
    ) {
        let travel = |streams: &mut Streams| Duration::from_millis(streams.latency.random_range(2..30));
        match self.draw_delivery(execution, streams, coverage) {
            Delivery::Once => heap.arrange(at + travel(streams), answer()),
            Delivery::Twice => {
                heap.arrange(at + travel(streams), answer());
                let later = Duration::from_millis(skewed(streams, 60_000));
                heap.arrange(at + later, answer());
            }
            Delivery::Late => {
                let over = execution.spec.deadline + Duration::from_millis(streams.latency.random_range(4_000..90_000));
                heap.arrange(over, answer());
            }
            Delivery::Never => {}
            Delivery::Noticed => {
                let noticed = execution.spec.deadline + Duration::from_millis(DRIVER_GRACE_MS);
                heap.arrange(noticed, unseen(execution, noticed));
            }
        }
    }

    fn draw_delivery(&self, execution: &Execution, streams: &mut Streams, coverage: &mut Coverage) -> Delivery {
        let stream = &mut streams.faults;
        if chance(stream, self.faults.lost) {
            coverage.hit("fault answer lost");
            // The driver waits for one answer: of a second execution it knows nothing.
            let noticed = chance(stream, 0.5) && !execution.again;
            return if noticed { Delivery::Noticed } else { Delivery::Never };
        }
        if chance(stream, self.faults.late) {
            coverage.hit("fault answer late");
            return Delivery::Late;
        }
        if chance(stream, self.faults.duplicate_answer) {
            coverage.hit("fault answer duplicated");
            return Delivery::Twice;
        }
        Delivery::Once
    }
}

/// The driver saw no answer: it reports a lost environment, billed at its bound.
fn unseen(execution: &Execution, noticed: EpochMs) -> Happening {
    let billed_ms = noticed.0 - execution.spec.deadline.0 + 1;
    Happening::Fail {
        attempt: execution.spec.attempt.clone(),
        failure: Failure::EnvironmentLost {
            message: "no answer".to_owned(),
        },
        meter: Meter {
            invocations: 1,
            billed_ms,
            billed_mb_ms: billed_ms * u64::from(execution.spec.size.memory_mb()),
            bounded: 1,
            ..Meter::default()
        },
    }
}

/// Mostly short, sometimes up to the maximum.
fn skewed(streams: &mut Streams, max_ms: u64) -> u64 {
    let share: f64 = streams.latency.random();
    (share * share * share * max_ms as f64) as u64
}
