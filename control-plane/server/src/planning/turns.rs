//! Who plans when. A statement first has a short turn, of which several run at once; one that takes longer needs one of few long turns,
//! and begins again if none is free. So what is hard to plan waits for its like, and everything else is planned beside it.
//!
//! ```text
//! statement ── short turn ──┬─ planned
//!                           └─ takes long ── long turn ──┬─ planned
//!                                                        └─ deadline, cancel: its process is killed
//! ```

use super::pool::{Lost, PlannerProgram, Pool};
use super::wire::Ask;
use crate::sql::is_query;
use mayfly_plan::{Planned, Session};
use mayfly_protocol::QueryError;
use mayfly_store::Store;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

/// Turns at once.
const SHORT_MAX: usize = 4;
const LONG_MAX: usize = 2;

/// Memory for planning one statement once its tables are known. All turns together have 256 MB.
const SHORT_BYTES_MAX: u64 = 24_000_000;
const LONG_BYTES_MAX: u64 = 80_000_000;
const _: () = assert!(SHORT_MAX as u64 * SHORT_BYTES_MAX + LONG_MAX as u64 * LONG_BYTES_MAX <= 256_000_000);

/// A short turn; while others wait it is shorter.
const SHORT_DURATION_MAX: Duration = Duration::from_millis(400);
const CROWDED_DURATION_MAX: Duration = Duration::from_millis(60);
/// Between two looks whether others wait.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Processes that plan. Clones share them.
#[derive(Clone)]
pub struct Planners(Arc<Turns>);

struct Turns {
    pool: Arc<Pool>,
    short: Semaphore,
    long: Semaphore,
    /// Statements without a turn yet.
    waiting: AtomicUsize,
}

/// A planning under way; dropped, its process is killed.
type Planning = Pin<Box<dyn Future<Output = Result<Result<Planned, QueryError>, Lost>> + Send>>;

struct Statement<'a> {
    sql: &'a str,
    session: &'a Session,
    requests: &'a Store,
}

impl Planners {
    /// Starts the first planners.
    pub async fn start(program: PlannerProgram) -> io::Result<Planners> {
        Ok(Planners(Arc::new(Turns {
            pool: Pool::start(program).await?,
            short: Semaphore::new(SHORT_MAX),
            long: Semaphore::new(LONG_MAX),
            waiting: AtomicUsize::new(0),
        })))
    }

    /// Ends those that wait for statements, and starts no more.
    pub fn stop(&self) {
        self.0.pool.stop();
    }

    /// Plans one statement. Dropped before it is done, its process is killed and its turn is free at once. What it asked of S3 is counted
    /// on `requests`.
    pub async fn plan(&self, sql: &str, session: &Session, requests: &Store) -> Result<Planned, QueryError> {
        let statement = Statement { sql, session, requests };
        match self.0.short(&statement).await {
            Some(Err(lost)) if lost.is_worth_another() && is_query(sql) => self.0.long(&statement).await,
            Some(ended) => ended.unwrap_or_else(|lost| Err(lost.error(SHORT_BYTES_MAX))),
            None => self.0.long(&statement).await,
        }
    }
}

impl Turns {
    /// None if it takes long and has to begin again.
    async fn short(&self, statement: &Statement<'_>) -> Option<Result<Result<Planned, QueryError>, Lost>> {
        let turn = self.short_turn().await;
        let mut planning = self.begin(statement, SHORT_BYTES_MAX);
        tokio::select! {
            ended = &mut planning => return Some(ended),
            () = self.patience() => {}
        }
        match self.long.try_acquire() {
            Ok(_long) => {
                drop(turn);
                Some(planning.await)
            }
            Err(_) if is_query(statement.sql) => None,
            Err(_) => Some(self.to_its_end(planning, turn).await),
        }
    }

    /// What changes something cannot begin again: it keeps its short turn until it has a long one.
    async fn to_its_end(
        &self,
        mut planning: Planning,
        turn: SemaphorePermit<'_>,
    ) -> Result<Result<Planned, QueryError>, Lost> {
        let _long = tokio::select! {
            ended = &mut planning => return ended,
            long = self.long.acquire() => long,
        };
        drop(turn);
        planning.await
    }

    async fn long(&self, statement: &Statement<'_>) -> Result<Planned, QueryError> {
        let _turn = self.long.acquire().await;
        let ended = self.begin(statement, LONG_BYTES_MAX).await;
        ended.unwrap_or_else(|lost| Err(lost.error(LONG_BYTES_MAX)))
    }

    fn begin(&self, statement: &Statement<'_>, memory_bytes_max: u64) -> Planning {
        let ask = Ask {
            sql: statement.sql.to_owned(),
            session: statement.session.clone(),
            memory_bytes_max,
        };
        Box::pin(self.pool.clone().plan(ask, statement.requests.clone()))
    }

    async fn short_turn(&self) -> SemaphorePermit<'_> {
        let _waiting = Waiting::new(&self.waiting);
        let turn = self.short.acquire().await;
        turn.expect("nobody closes it")
    }

    /// Returns when a short turn is over.
    async fn patience(&self) {
        let begun = Instant::now();
        let most = || match self.waiting.load(Ordering::Acquire) {
            0 => SHORT_DURATION_MAX,
            _ => CROWDED_DURATION_MAX,
        };
        while begun.elapsed() < most() {
            sleep(LOOK_PAUSE).await;
        }
    }
}

/// Counts while it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl Waiting<'_> {
    fn new(count: &AtomicUsize) -> Waiting<'_> {
        count.fetch_add(1, Ordering::AcqRel);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
