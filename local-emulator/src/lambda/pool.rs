//! Which environment serves an invocation: a warm one if there is, else a new one. Keeps the number of processes in bounds and expires idle
//! ones. Counts nothing and bills nothing: see service.

mod start;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::environment::Environment;
use super::fault::LambdaFault;
use super::function::Function;
use super::latency;
use super::launcher::Launcher;
use super::outcome::Outcome;
use super::quota::CpuQuota;
use super::ramp::Ramp;
use super::signal;
use super::watchdog::Watchdog;
use crate::fault::Faults;
use crate::settings::{Credentials, RunAs};

/// As on AWS. A runtime that is not on `/next` by then has failed to start.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stop waits for killed processes to be reaped.
const STOP_WAIT_MAX: Duration = Duration::from_secs(2);

/// How finely a number from 0 to 1 is drawn.
const UNIFORM_STEPS: u64 = 1 << 32;

pub(crate) struct PoolSettings {
    pub credentials: Credentials,
    pub region: String,
    pub environment_idle: Duration,
    pub environment_max: usize,
    pub ramp_per_10_s: u32,
    pub scratch: PathBuf,
    pub run_as: Option<RunAs>,
    /// Whether CPU goes with memory, where the host allows it.
    pub cpu_quota: bool,
}

pub(crate) struct Pool {
    settings: PoolSettings,
    launcher: Launcher,
    watchdog: Arc<Watchdog>,
    quota: Option<CpuQuota>,
    ramp: Mutex<Ramp>,
    faults: Arc<Faults>,
    next_id: AtomicU64,
    inner: Mutex<Inner>,
    /// One task per living process.
    processes: TaskTracker,
}

#[derive(Default)]
struct Inner {
    all: BTreeMap<u64, Arc<Environment>>,
    /// Per version of a function, by its id, the one that served last at the end: it is used first, so that the others can expire.
    idle: BTreeMap<u64, Vec<Arc<Environment>>>,
    /// Versions that serve no more.
    retired: BTreeSet<u64>,
    is_stopped: bool,
}

/// An environment that is ready to serve.
pub(crate) struct Taken {
    pub environment: Arc<Environment>,
    /// Set if it was started just now.
    pub init: Option<Duration>,
}

/// A cold start that did not get as far as its first event.
pub(crate) struct Stillborn {
    pub outcome: Outcome,
    pub init: Duration,
    /// Absent if no process could be started.
    pub environment: Option<Arc<Environment>>,
}

/// One environment as `GET /_emulator/environments` shows it.
#[derive(Serialize)]
pub(crate) struct Listed {
    id: u64,
    function: String,
    pid: Option<u32>,
    state: &'static str,
    request_id: Option<String>,
}

impl Pool {
    pub fn new(settings: PoolSettings, faults: Arc<Faults>) -> Pool {
        Pool {
            ramp: Mutex::new(Ramp::new(settings.ramp_per_10_s)),
            faults,
            quota: settings.cpu_quota.then(CpuQuota::find).flatten(),
            settings,
            launcher: Launcher::start(),
            watchdog: Arc::new(Watchdog::start()),
            next_id: AtomicU64::new(1),
            inner: Mutex::default(),
            processes: TaskTracker::new(),
        }
    }

    /// Takes room for an invocation of `function`: a warm environment, or one of the starts that the ramp allows, which is then spent.
    /// `false`: there is none now.
    pub fn take_room(&self, function: &Function) -> bool {
        let is_warm = {
            let inner = self.lock();
            let idle = inner.idle.get(&function.id);
            idle.is_some_and(|idle| idle.iter().any(|environment| environment.is_ready()))
        };
        is_warm || {
            let mut ramp = self.ramp.lock().expect("counting starts does not panic");
            ramp.start(function.name(), Instant::now())
        }
    }

    pub fn limits_cpu(&self) -> bool {
        self.quota.is_some()
    }

    pub fn ties_children(&self) -> bool {
        self.launcher.ties_children
    }

    /// A warm environment of `function`, or a new one.
    pub async fn take(self: &Arc<Pool>, function: &Arc<Function>) -> Result<Taken, Stillborn> {
        if let Some(environment) = self.take_idle(function.id) {
            return Ok(Taken {
                environment,
                init: None,
            });
        }
        self.make_room(1).await;
        let fault = self.faults.lambda.draw(function.name(), LambdaFault::strikes_a_start);
        tokio::time::sleep(self.placement(&fault)).await;
        let since = Instant::now();
        let failed = |error: std::io::Error| Stillborn {
            outcome: Outcome::NotStarted {
                reason: error.to_string(),
            },
            init: since.elapsed(),
            environment: None,
        };
        let (environment, first) = self.start(function.clone()).await.map_err(failed)?;
        if let Some(LambdaFault::Kill { .. }) = fault {
            environment.strike_down();
        }
        let ready = tokio::time::timeout(INIT_TIMEOUT, first).await;
        let init = since.elapsed();
        let outcome = match ready {
            Ok(Ok(Ok(()))) => {
                return Ok(Taken {
                    environment,
                    init: Some(init),
                });
            }
            Ok(Ok(Err(outcome))) => outcome,
            Ok(Err(_)) => Outcome::NotStarted {
                reason: "the emulator is stopping".to_owned(),
            },
            Err(_) => Outcome::TimedOut { after: INIT_TIMEOUT },
        };
        environment.kill().await;
        Err(Stillborn {
            outcome,
            init,
            environment: Some(environment),
        })
    }

    /// What passes before Init, which nobody is billed for.
    fn placement(&self, fault: &Option<LambdaFault>) -> Duration {
        match fault {
            Some(LambdaFault::ColdStart { ms }) => Duration::from_millis(*ms),
            Some(LambdaFault::ColdStartAws) => {
                let uniform = |_| self.faults.lambda.below(UNIFORM_STEPS) as f64 / UNIFORM_STEPS as f64;
                latency::placement(std::array::from_fn(uniform))
            }
            _ => Duration::ZERO,
        }
    }

    /// Puts an environment back after an invocation. One that cannot serve again is dropped.
    pub async fn give_back(&self, environment: Arc<Environment>) {
        {
            let mut inner = self.lock();
            if inner.retired.contains(&environment.function.id) {
                environment.strike_down();
            } else if environment.is_ready() && inner.all.contains_key(&environment.id) {
                let function = environment.function.id;
                inner.idle.entry(function).or_default().push(environment);
            }
        }
        self.make_room(0).await;
    }

    /// Ends the idle environments of a version that is changed or gone; busy ones finish and are not used again.
    pub fn retire(&self, function: u64) {
        let mut inner = self.lock();
        inner.retired.insert(function);
        let idle = inner.idle.remove(&function).unwrap_or_default();
        idle.iter().for_each(|environment| environment.strike_down());
    }

    /// Every living environment, for people and tests.
    pub fn listing(&self) -> Vec<Listed> {
        let all: Vec<Arc<Environment>> = self.lock().all.values().cloned().collect();
        let listed = |environment: Arc<Environment>| {
            let glance = environment.glance();
            Listed {
                id: environment.id,
                function: environment.function.name().to_owned(),
                pid: glance.pid,
                state: glance.state,
                request_id: glance.request_id,
            }
        };
        all.into_iter().map(listed).collect()
    }

    /// Expires idle environments until `stop`.
    pub async fn reap(self: Arc<Pool>, stop: CancellationToken) {
        let pause = (self.settings.environment_idle / 4).clamp(Duration::from_millis(10), Duration::from_secs(5));
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            for environment in self.expired() {
                environment.kill().await;
            }
        }
    }

    /// Kills everything, for ever: what starts from now on is killed too.
    pub fn kill_all(&self) {
        let mut inner = self.lock();
        inner.is_stopped = true;
        inner.idle.clear();
        inner
            .all
            .values()
            .filter_map(|environment| environment.glance().pid)
            .for_each(signal::kill);
    }

    /// Kills everything and waits until every process is reaped and every scratch folder removed.
    pub async fn stop(&self) {
        self.kill_all();
        self.processes.close();
        if tokio::time::timeout(STOP_WAIT_MAX, self.processes.wait())
            .await
            .is_err()
        {
            tracing::error!("some killed processes did not end in time");
        }
    }

    fn take_idle(&self, function: u64) -> Option<Arc<Environment>> {
        let mut inner = self.lock();
        let idle = inner.idle.get_mut(&function)?;
        while let Some(environment) = idle.pop() {
            // One that died while idle is on its way out.
            if environment.is_ready() {
                return Some(environment);
            }
        }
        None
    }

    /// Evicts idle environments, longest idle first, until `wanted` more fit.
    async fn make_room(&self, wanted: usize) {
        let evicted = {
            let mut inner = self.lock();
            let excess = (inner.all.len() + wanted).saturating_sub(self.settings.environment_max);
            let mut idle: Vec<_> = inner.idle.values().flatten().cloned().collect();
            idle.sort_by_key(|environment| environment.ready_at());
            idle.truncate(excess);
            inner.forget_idle(&idle);
            idle
        };
        for environment in evicted {
            environment.kill().await;
        }
    }

    fn expired(&self) -> Vec<Arc<Environment>> {
        let mut inner = self.lock();
        let old = |environment: &&Arc<Environment>| environment.ready_at().elapsed() >= self.settings.environment_idle;
        let expired: Vec<_> = inner.idle.values().flatten().filter(old).cloned().collect();
        inner.forget_idle(&expired);
        expired
    }

    fn forget(&self, environment: &Arc<Environment>) {
        let mut inner = self.lock();
        inner.all.remove(&environment.id);
        inner.forget_idle(std::slice::from_ref(environment));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of the pool's lock panics")
    }
}

impl Inner {
    fn forget_idle(&mut self, gone: &[Arc<Environment>]) {
        for environment in gone {
            if let Some(idle) = self.idle.get_mut(&environment.function.id) {
                idle.retain(|other| other.id != environment.id);
            }
        }
    }
}
