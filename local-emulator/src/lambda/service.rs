//! Invocations: admission by concurrency, an environment to run in, the log lines and the bill. Speaks no HTTP: see invoke_api.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::environment::{Environment, Event};
use super::fault::LambdaFault;
use super::function::{Function, Seat};
use super::outcome::Outcome;
use super::output::TAIL_BYTES_MAX;
use super::pool::{Pool, Stillborn, Taken};
use super::registry::Registry;
use super::report::{Report, Status, start_line};
use super::retry::Destination;
use super::strike;
use crate::count::Counter;
use crate::fault::Faults;

/// Between two tries to admit an event that waits.
const ADMISSION_PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct LambdaService {
    pub registry: Registry,
    pub pool: Arc<Pool>,
    pub counter: Arc<Counter>,
    concurrency: Arc<Semaphore>,
    in_flight: AtomicUsize,
    faults: Arc<Faults>,
    destination: Option<Arc<dyn Destination>>,
}

/// Why an invocation was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Throttle {
    Concurrency,
    /// The function's own limit.
    Reserved,
    Ramp,
}

/// How an invocation ended, and the last of its log.
pub(crate) struct Finished {
    pub request_id: String,
    pub outcome: Outcome,
    pub tail: Vec<u8>,
}

/// The right to run one invocation.
#[expect(dead_code, reason = "held for their drop")]
pub(crate) struct Admission(OwnedSemaphorePermit, Seat);

impl LambdaService {
    pub fn new(
        functions: Vec<Function>,
        pool: Arc<Pool>,
        counter: Arc<Counter>,
        concurrency_max: usize,
        faults: Arc<Faults>,
        destination: Option<Arc<dyn Destination>>,
    ) -> LambdaService {
        let concurrency = Arc::new(Semaphore::new(concurrency_max.min(Semaphore::MAX_PERMITS)));
        LambdaService {
            registry: Registry::new(functions),
            pool,
            counter,
            concurrency,
            in_flight: AtomicUsize::new(0),
            faults,
            destination,
        }
    }

    pub fn destination(&self) -> Option<&Arc<dyn Destination>> {
        self.destination.as_ref()
    }

    /// Admits a synchronous invocation, unless it is one too many.
    pub fn admit(&self, function: &Function) -> Result<Admission, Throttle> {
        let admission = self.try_admit(function);
        if admission.is_err() {
            self.counter.function(function.name(), |counts| counts.throttles += 1);
        }
        admission
    }

    fn try_admit(&self, function: &Function) -> Result<Admission, Throttle> {
        let is_struck = |fault: &LambdaFault| matches!(fault, LambdaFault::Throttle);
        if self.faults.lambda.draw(function.name(), is_struck).is_some() {
            return Err(Throttle::Concurrency);
        }
        self.admission(function)
    }

    fn admission(&self, function: &Function) -> Result<Admission, Throttle> {
        let seat = function.shared.seat().ok_or(Throttle::Reserved)?;
        let permit = self.concurrency.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Throttle::Concurrency)?;
        match self.pool.take_room(function) {
            true => Ok(Admission(permit, seat)),
            false => Err(Throttle::Ramp),
        }
    }

    /// What else happens to an invocation on its way between caller and function.
    pub fn mishap(&self, function: &Function) -> Option<LambdaFault> {
        let is_one = |fault: &LambdaFault| matches!(fault, LambdaFault::ResponseLost | LambdaFault::Duplicate { .. });
        self.faults.lambda.draw(function.name(), is_one)
    }

    /// Admits an asynchronous invocation as soon as there is room, unless that takes longer than `patience`.
    pub async fn admit_later(&self, function: &Function, patience: Duration) -> Option<Admission> {
        let since = Instant::now();
        loop {
            if let Ok(admission) = self.admission(function) {
                return Some(admission);
            }
            if since.elapsed() >= patience {
                return None;
            }
            tokio::time::sleep(ADMISSION_PAUSE.min(patience)).await;
        }
    }

    /// Runs one invocation to its end. To be spawned: a client that hangs up does not end it.
    pub async fn invoke(self: Arc<Self>, function: Arc<Function>, payload: Bytes, admission: Admission) -> Finished {
        let request_id = uuid::Uuid::new_v4().to_string();
        self.invoke_as(request_id, function, payload, admission).await
    }

    /// A retry keeps the request id of the event.
    pub async fn invoke_as(
        self: Arc<Self>,
        request_id: String,
        function: Arc<Function>,
        payload: Bytes,
        _admission: Admission,
    ) -> Finished {
        let _flight = Flight::new(&self);
        self.counter.function(function.name(), |counts| counts.invocations += 1);
        let finished = match self.pool.take(&function).await {
            Ok(taken) => self.run(&function, taken, request_id, payload).await,
            Err(stillborn) => self.bury(&function, stillborn, request_id),
        };
        if finished.outcome.is_error() {
            self.counter.function(function.name(), |counts| counts.errors += 1);
        }
        finished
    }

    async fn run(&self, function: &Function, taken: Taken, request_id: String, payload: Bytes) -> Finished {
        let Taken { environment, init } = taken;
        if init.is_none() {
            environment.output.clear();
        }
        // What init wrote stands before START, as on AWS.
        environment.output.drain();
        environment.output.note(&start_line(&request_id, &function.version));
        let since = Instant::now();
        let event = Event {
            request_id: request_id.clone(),
            payload,
            deadline_ms: epoch_ms(SystemTime::now() + function.settings.timeout),
            trace_id: trace_id(),
        };
        let fault = self.faults.lambda.draw(function.name(), LambdaFault::strikes_an_event);
        let outcome = strike::invoke(&environment, event, fault).await;
        let report = Report {
            request_id: request_id.clone(),
            // A timer fires late, never early; AWS bills a timeout at its limit.
            duration: if outcome.status() == Status::Timeout {
                function.settings.timeout
            } else {
                since.elapsed()
            },
            init,
            memory_mb: function.settings.memory_mb,
            memory_used_bytes: memory_used(&environment, &outcome),
            status: outcome.status(),
        };
        let tail = self.close(&environment, &report, &outcome);
        self.pool.give_back(environment).await;
        Finished {
            request_id,
            outcome,
            tail,
        }
    }

    /// An invocation whose environment never came up is billed for the attempt.
    fn bury(&self, function: &Function, stillborn: Stillborn, request_id: String) -> Finished {
        let Stillborn {
            outcome,
            init,
            environment,
        } = stillborn;
        let report = Report {
            request_id: request_id.clone(),
            duration: Duration::ZERO,
            init: Some(init),
            memory_mb: function.settings.memory_mb,
            memory_used_bytes: environment
                .as_ref()
                .map_or(0, |environment| memory_used(environment, &outcome)),
            status: outcome.status(),
        };
        let tail = match &environment {
            Some(environment) => {
                environment.output.drain();
                environment.output.note(&start_line(&request_id, &function.version));
                self.close(environment, &report, &outcome)
            }
            None => {
                self.bill(function, &report);
                let log_line = outcome.log_line(&request_id).unwrap_or_default();
                format!("{}{log_line}{report}", start_line(&request_id, &function.version)).into_bytes()
            }
        };
        Finished {
            request_id,
            outcome,
            tail,
        }
    }

    /// Writes the closing lines, bills, and cuts the tail.
    fn close(&self, environment: &Environment, report: &Report, outcome: &Outcome) -> Vec<u8> {
        environment.output.drain();
        if let Some(line) = outcome.log_line(&report.request_id) {
            environment.output.note(&line);
        }
        environment.output.note(&report.to_string());
        self.bill(&environment.function, report);
        let tail = environment.output.tail();
        debug_assert!(tail.len() <= TAIL_BYTES_MAX);
        tail
    }

    fn bill(&self, function: &Function, report: &Report) {
        self.counter.function(function.name(), |counts| {
            counts.cold_starts += u64::from(report.init.is_some());
            counts.billed_ms += report.billed_ms();
            counts.billed_mb_ms += report.billed_ms() * u64::from(report.memory_mb);
        });
    }
}

/// Counts an invocation in flight for as long as it lives.
struct Flight<'s>(&'s LambdaService);

impl Flight<'_> {
    fn new(service: &LambdaService) -> Flight<'_> {
        let now = service.in_flight.fetch_add(1, Ordering::AcqRel) + 1;
        service.counter.in_flight(now);
        Flight(service)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let now = self.0.in_flight.fetch_sub(1, Ordering::AcqRel) - 1;
        self.0.counter.in_flight(now);
    }
}

/// AWS shows an environment killed for its memory at its full size, wherever the last sample stood.
fn memory_used(environment: &Environment, outcome: &Outcome) -> u64 {
    match outcome.status() {
        Status::Error("Runtime.OutOfMemory") => u64::from(environment.function.settings.memory_mb) << 20,
        _ => environment.memory_peak_bytes(),
    }
}

fn epoch_ms(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

fn trace_id() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!(
        "Root=1-{:08x}-{};Sampled=0",
        epoch_ms(SystemTime::now()) / 1000,
        &id[..24]
    )
}
