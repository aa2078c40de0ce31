//! The modelled cloud: takes invocations, decides by the seed what goes wrong with each, and publishes what executors write.

use crate::content::Nature;
use crate::coordinator::{Address, News};
use crate::coverage::Coverage;
use crate::delivery;
use crate::executor::{Bucket, Execution, Reading, Stored};
use crate::faults::Faults;
use crate::heap::{Happening, Heap};
use crate::planned::BEGIN_MS;
use crate::random::{Streams, chance, skewed};
use mayfly_protocol::{
    Digest, EpochMs, ErrorCode, Failure, Meter, Nonce, Output, OutputLocation, PartitionEntry, QueryId, TaskReport,
    TaskSpec, limits,
};
use rand::Rng;
use std::rc::Rc;
use std::time::Duration;

/// What the cloud works with at one moment.
pub(crate) struct Moment<'a> {
    pub now: EpochMs,
    pub streams: &'a mut Streams,
    pub heap: &'a mut Heap,
    pub coverage: &'a mut Coverage,
}

impl Moment<'_> {
    pub fn after(&self, ms: u64) -> EpochMs {
        self.now + Duration::from_millis(ms)
    }

    /// Draws a fault, and counts it if it strikes.
    pub fn strikes(&mut self, name: &'static str, probability: f64) -> bool {
        let strikes = chance(&mut self.streams.faults, probability);
        if strikes {
            self.coverage.hit(name);
        }
        strikes
    }
}

pub(crate) struct Cloud {
    faults: Faults,
    bucket: Bucket,
    warm: u32,
    throttled_until: EpochMs,
    /// From then on nothing runs.
    dead_from: Option<EpochMs>,
}

impl Cloud {
    pub fn new(faults: Faults, streams: &mut Streams) -> Cloud {
        let dead = chance(&mut streams.faults, faults.fleet_dead);
        let from = EpochMs(BEGIN_MS + streams.faults.random_range(0..3_000));
        Cloud {
            faults,
            bucket: Bucket::new(),
            warm: 0,
            throttled_until: EpochMs(0),
            dead_from: dead.then_some(from),
        }
    }

    /// Takes an Invoke.
    pub fn invoke(&mut self, spec: Rc<TaskSpec>, to: Address, nature: Nature, moment: &mut Moment<'_>) {
        if self.dead_from.is_some_and(|from| moment.now >= from) {
            moment.coverage.hit("fault fleet dead");
            return refuse(&spec, to, moment);
        }
        if moment.now >= self.throttled_until && chance(&mut moment.streams.faults, self.faults.throttled / 4.0) {
            let burst_ms = moment.streams.faults.random_range(50..3_000);
            self.throttled_until = moment.after(burst_ms);
        }
        if moment.now < self.throttled_until {
            moment.coverage.hit("fault throttled");
            return refuse(&spec, to, moment);
        }
        if moment.strikes("fault duplicate execution", self.faults.duplicate_execution) {
            let delay_ms = skewed(&mut moment.streams.latency, 60_000);
            self.begin(delay_ms, spec.clone(), to, nature, moment);
        }
        self.begin(0, spec, to, nature, moment);
    }

    /// An executor has begun: what it reads, what it does, and what it answers.
    pub fn execute(&mut self, execution: &Execution, moment: &mut Moment<'_>) -> Result<(), String> {
        let stop = EpochMs(execution.spec.deadline.0.saturating_sub(limits::DEADLINE_MARGIN_MS));
        if moment.now >= stop {
            // It returns at once, and nobody listens to the second delivery of a dead order.
            moment.coverage.hit("fault delivered past its deadline");
            return Ok(());
        }
        let read = match execution.read(&self.bucket) {
            Reading::Wrong(what) => return Err(what),
            Reading::Lost(failure) => {
                moment.coverage.hit("fault object missing");
                self.fail(execution, 20, failure, moment);
                return Ok(());
            }
            Reading::Whole(read) => read,
        };
        let run_ms = self.draw_duration(moment);
        if let Some(failure) = self.draw_failure(execution, moment) {
            self.fail(execution, run_ms, failure, moment);
        } else if moment.after(run_ms) > stop {
            moment.coverage.hit("fault timed out");
            let message = "stopped before the deadline".to_owned();
            self.fail(execution, stop.0 - moment.now.0, Failure::TimedOut { message }, moment);
        } else {
            self.report(execution, run_ms, execution.publish(read, run_ms), moment);
        }
        Ok(())
    }

    pub fn delete(&mut self, output: &Output) {
        if let OutputLocation::Object { key, .. } = &output.location {
            self.bucket.remove(key);
        }
    }

    /// What an executor wrote is there.
    pub fn publish(&mut self, report: &Rc<TaskReport>) {
        if let OutputLocation::Object { key, .. } = &report.output.location {
            let stored = Stored {
                footer: report.clone(),
                is_damaged: false,
            };
            self.bucket.insert(key.clone(), stored);
        }
    }

    /// The footers of all objects of a query.
    pub fn list(&self, query: &QueryId) -> Vec<TaskReport> {
        let footers = self.bucket.values().map(|stored| &stored.footer);
        let own = footers.filter(|footer| footer.attempt.query == *query);
        own.map(|footer| (**footer).clone()).collect()
    }

    /// Deletes all that there is of a query, and says how much that was.
    pub fn sweep(&mut self, query: &QueryId) -> usize {
        let before = self.bucket.len();
        self.bucket.retain(|_, stored| stored.footer.attempt.query != *query);
        before - self.bucket.len()
    }

    /// Whether there was something to lose.
    pub fn lose(&mut self, key: &str, damaged: bool) -> bool {
        if !damaged {
            return self.bucket.remove(key).is_some();
        }
        let stored = self.bucket.get_mut(key);
        stored.map(|stored| stored.is_damaged = true).is_some()
    }

    fn begin(&mut self, delay_ms: u64, spec: Rc<TaskSpec>, to: Address, nature: Nature, moment: &mut Moment<'_>) {
        let cold = self.warm == 0;
        let start_ms = match cold {
            true => moment.streams.latency.random_range(90..350),
            false => moment.streams.latency.random_range(12..60),
        };
        self.warm = self.warm.saturating_sub(1);
        let execution = Box::new(Execution {
            spec,
            to,
            nonce: Nonce(moment.streams.nonces.random()),
            nature,
            cold,
            begun: moment.after(delay_ms + start_ms),
            again: delay_ms > 0,
        });
        let at = execution.begun;
        moment.heap.arrange(at, Happening::Begin { execution });
    }

    fn draw_duration(&self, moment: &mut Moment<'_>) -> u64 {
        let run_ms = moment.streams.latency.random_range(10..600);
        match moment.strikes("fault straggler", self.faults.straggler) {
            true => run_ms * moment.streams.latency.random_range(5..50),
            false => run_ms,
        }
    }

    fn draw_failure(&self, execution: &Execution, moment: &mut Moment<'_>) -> Option<Failure> {
        let message = || "as the seed says".to_owned();
        let faults = &self.faults;
        if execution.nature.hunger(execution.spec.attempt.task) > execution.spec.size as u64 {
            moment.coverage.hit("fault hungry");
            return Some(Failure::NeedsMemory { message: message() });
        }
        if moment.strikes("fault transient", faults.transient) {
            return Some(Failure::Transient { message: message() });
        }
        if moment.strikes("fault environment lost", faults.environment_lost) {
            return Some(Failure::EnvironmentLost { message: message() });
        }
        if moment.strikes("fault memory", faults.memory) {
            return Some(Failure::NeedsMemory { message: message() });
        }
        if moment.strikes("fault broken", faults.broken) {
            return Some(Failure::Broken { message: message() });
        }
        let user = moment.strikes("fault user error", faults.user_error);
        user.then(|| Failure::user(ErrorCode::DivisionByZero, "division by zero"))
    }

    fn fail(&self, execution: &Execution, run_ms: u64, failure: Failure, moment: &mut Moment<'_>) {
        let meter = execution.meter(run_ms, None);
        let answer = || News::Fail {
            attempt: execution.spec.attempt.clone(),
            failure: failure.clone(),
            meter,
        };
        delivery::deliver(&self.faults, moment.after(run_ms), execution, answer, moment);
    }

    fn report(&mut self, execution: &Execution, run_ms: u64, report: TaskReport, moment: &mut Moment<'_>) {
        let mut report = Rc::new(report);
        let published = Happening::Publish { report: report.clone() };
        moment.heap.arrange(moment.after(run_ms), published);
        self.doom(execution, run_ms, &report.output, moment);
        self.warm += 1;
        let meter = execution.meter(run_ms, Some(&report.output));
        if moment.strikes("fault malformed report", self.faults.malformed) {
            let report = Rc::make_mut(&mut report);
            match moment.strikes("fault wrong pins", 0.3) {
                true => report.pin_digest = Digest::of(b"of what it was not given"),
                false => report.output.partitions.push(PartitionEntry::default()),
            }
        }
        let answer = || News::Report {
            report: report.clone(),
            meter,
        };
        delivery::deliver(&self.faults, moment.after(run_ms), execution, answer, moment);
    }

    /// Decides whether the object is lost some time after it is there.
    fn doom(&self, execution: &Execution, run_ms: u64, output: &Output, moment: &mut Moment<'_>) {
        let OutputLocation::Object { key, .. } = &output.location else {
            return;
        };
        let lost = moment.strikes("fault object lost", self.faults.object_lost);
        let cursed = execution.nature.is_cursed(execution.spec.attempt.task);
        if cursed {
            moment.coverage.hit("fault cursed");
        }
        if lost || cursed {
            let later_ms = if cursed {
                0
            } else {
                skewed(&mut moment.streams.latency, 20_000)
            };
            let at = moment.after(run_ms + later_ms);
            let damaged = moment.strikes("fault object damaged", 0.5);
            let key = key.clone();
            moment.heap.arrange(at, Happening::LoseObject { key, damaged });
        }
    }
}

/// 429, with or without a word on when to come back, or no way through to the platform. Not billed.
fn refuse(spec: &TaskSpec, to: Address, moment: &mut Moment<'_>) {
    let told = chance(&mut moment.streams.faults, 0.5);
    let retry_after_ms = told.then(|| moment.streams.faults.random_range(10..2_000));
    let travel_ms = moment.streams.latency.random_range(2..20);
    let at = moment.after(travel_ms);
    let news = News::Fail {
        attempt: spec.attempt.clone(),
        failure: match retry_after_ms {
            Some(ms) if ms % 3 == 0 => {
                moment.coverage.hit("fault unreachable");
                let message = String::new();
                Failure::Unreachable { message }
            }
            _ => Failure::Throttled { retry_after_ms },
        },
        meter: Meter::default(),
    };
    moment.heap.arrange(at, Happening::Deliver { to, news });
}
