//! The planners that there are: some wait for statements, one that was lost or grew is replaced.

use super::death::Death;
use super::process::Process;
use super::wire::{Ask, Ended, Said};
use mayfly_plan::Planned;
use mayfly_protocol::{ErrorCode, QueryError, S3Meter, Secret};
use mayfly_store::Store;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Planners that are started before there is a statement for them.
const READY_MIN: usize = 2;
/// Planners that are kept when their statements are planned.
const READY_MAX: usize = 4;

/// A planner that grew beyond this is replaced when its statement is planned.
const GROWN_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// How a planner is started.
#[derive(Clone, Debug)]
pub struct PlannerProgram {
    pub program: PathBuf,
    pub environment: Vec<(String, String)>,
    /// Sent to each planner before its first statement. It holds keys, and is on nobody's command line.
    pub setup: Secret<Vec<u8>>,
}

pub struct Pool {
    program: PlannerProgram,
    /// The last has planned last: what it has read of tables is the newest.
    ready: Mutex<Vec<Process>>,
    stopped: AtomicBool,
}

/// How a planning ended without an answer.
#[derive(Debug)]
pub enum Lost {
    Died {
        death: Death,
        /// Whether the statement's tables were known by then.
        looked_up: bool,
    },
    /// There was no planner to lose.
    Unstarted(io::Error),
}

impl Lost {
    /// Whether it may end better with more memory, or at another time.
    pub fn is_worth_another(&self) -> bool {
        match self {
            Lost::Died { death, looked_up } => match death {
                Death::Memory => *looked_up,
                Death::Killed => true,
                Death::Stack | Death::Other(_) => false,
            },
            Lost::Unstarted(_) => false,
        }
    }

    pub fn error(&self, memory_bytes_max: u64) -> QueryError {
        match self {
            Lost::Died { death, looked_up } => death.error(*looked_up, memory_bytes_max),
            Lost::Unstarted(cause) => QueryError::new(
                ErrorCode::GenericInternalError,
                format!("no process to plan in: {cause}"),
            ),
        }
    }
}

impl Pool {
    /// Starts the first planner, so that a program that cannot run is known at once.
    pub async fn start(program: PlannerProgram) -> io::Result<Arc<Pool>> {
        let first = Process::start(&program).await?;
        let pool = Arc::new(Pool {
            program,
            ready: Mutex::new(vec![first]),
            stopped: AtomicBool::new(false),
        });
        pool.fill().await;
        Ok(pool)
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.ready().clear();
    }

    /// One statement in one process. Dropped before it is done, the process is killed; what was asked of S3 is counted on `requests` in
    /// any case, as far as it is known. `looked_up` hears when the statement's tables are known.
    pub async fn plan(
        self: Arc<Self>,
        ask: Ask,
        requests: Store,
        looked_up: Arc<Notify>,
    ) -> Result<Result<Planned, QueryError>, Lost> {
        let mut taken = self.take(&ask, requests).await.map_err(Lost::Unstarted)?;
        loop {
            match taken.process_mut().said().await {
                Ok((Said::Asked(meter), _)) => taken.meter = meter,
                Ok((Said::LookedUp(meter), _)) => {
                    taken.meter = meter;
                    taken.looked_up = true;
                    looked_up.notify_one();
                }
                Ok((Said::Ended(ended), arrow)) => return Ok(taken.ended(*ended, &arrow)),
                Err(_) => return Err(taken.lost().await),
            }
        }
    }

    /// A planner that has heard the statement. One that died while it waited is passed over.
    async fn take(self: Arc<Self>, ask: &Ask, requests: Store) -> io::Result<Taken> {
        let waiting = self.ready().pop();
        let process = match waiting {
            Some(mut process) => process.ask(ask).await.ok().map(|()| process),
            None => None,
        };
        let process = match process {
            Some(process) => process,
            None => {
                let mut process = Process::start(&self.program).await?;
                process.ask(ask).await?;
                process
            }
        };
        Ok(Taken {
            pool: self,
            process: Some(process),
            requests,
            meter: S3Meter::default(),
            looked_up: false,
        })
    }

    /// Starts planners until enough wait. One that cannot be started now is started when it is needed.
    async fn fill(&self) {
        while self.ready().len() < READY_MIN && !self.stopped.load(Ordering::Acquire) {
            let Ok(process) = Process::start(&self.program).await else {
                return;
            };
            self.ready().insert(0, process);
        }
    }

    fn keep(&self, process: Process) {
        let mut ready = self.ready();
        if ready.len() < READY_MAX && !self.stopped.load(Ordering::Acquire) {
            ready.push(process);
        }
    }

    fn ready(&self) -> MutexGuard<'_, Vec<Process>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A planner at work.
struct Taken {
    pool: Arc<Pool>,
    /// None once it has ended or was given back.
    process: Option<Process>,
    requests: Store,
    /// What its statement has asked of S3, as far as it has said.
    meter: S3Meter,
    /// Whether the statement's tables are known.
    looked_up: bool,
}

impl Taken {
    fn process_mut(&mut self) -> &mut Process {
        self.process.as_mut().expect("it is taken only by what ends the work")
    }

    fn ended(mut self, ended: Ended, arrow: &[u8]) -> Result<Planned, QueryError> {
        self.meter = ended.requests;
        if let Some(process) = self.process.take_if(|_| ended.memory_bytes < GROWN_BYTES_MAX) {
            self.pool.keep(process);
        }
        let garbled = |cause| {
            let message = format!("what a planner answered cannot be read: {cause}");
            Err(QueryError::new(ErrorCode::GenericInternalError, message))
        };
        ended.planned(arrow).unwrap_or_else(garbled)
    }

    async fn lost(mut self) -> Lost {
        let looked_up = self.looked_up;
        let death = match self.process.take() {
            Some(process) => process.death().await,
            None => Death::Other("it is gone".to_owned()),
        };
        Lost::Died { death, looked_up }
    }
}

/// Kills the planner unless it was given back, and counts what it asked.
impl Drop for Taken {
    fn drop(&mut self) {
        self.requests.count(self.meter);
        self.process = None;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let pool = self.pool.clone();
            runtime.spawn(async move { pool.fill().await });
        }
    }
}
