//! Who plans when. A statement first has a short turn, of which several run at once, and a second one if others made the first shorter;
//! one that takes longer needs one of few long turns, and begins again if none is free. So what is hard to plan waits for its like, and
//! everything else is planned beside it.
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
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};

/// Turns at once.
const SHORT_MAX: usize = 4;
const LONG_MAX: usize = 2;

/// Memory for planning one statement once its tables are known. All turns together have 256 MB.
const SHORT_BYTES_MAX: u64 = 24_000_000;
const LONG_BYTES_MAX: u64 = 80_000_000;
const _: () = assert!(SHORT_MAX as u64 * SHORT_BYTES_MAX + LONG_MAX as u64 * LONG_BYTES_MAX <= 256_000_000);

/// A short turn, from when the statement's tables are known; the first one is shorter while others wait.
const SHORT_DURATION_MAX: Duration = Duration::from_millis(400);
const CROWDED_DURATION_MAX: Duration = Duration::from_millis(60);
/// After so long without its tables a statement waits for S3, and not for a processor: it makes room, and is not begun again for that.
const LOOKUP_DURATION_MAX: Duration = Duration::from_secs(1);
/// Statements that wait for S3 beside those that have a turn.
const READING_MAX: usize = 10;
/// Between two looks whether others wait.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Processes that plan. Clones share them.
#[derive(Clone)]
pub struct Planners(Arc<Turns>);

struct Turns {
    pool: Arc<Pool>,
    short: Semaphore,
    long: Semaphore,
    reading: Semaphore,
    /// Statements without a turn yet.
    waiting: AtomicUsize,
}

/// How a planning ended; none if it takes long and has to begin again.
type Ended = Option<Result<Result<Planned, QueryError>, Lost>>;

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
            reading: Semaphore::new(READING_MAX),
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
        let ended = match self.0.short(&statement, CROWDED_DURATION_MAX).await {
            None => self.0.short(&statement, SHORT_DURATION_MAX).await,
            ended => ended,
        };
        match ended {
            Some(Err(lost)) if lost.is_worth_another() && is_query(sql) => self.0.long(&statement).await,
            Some(ended) => ended.unwrap_or_else(|lost| Err(lost.error(SHORT_BYTES_MAX))),
            None => self.0.long(&statement).await,
        }
    }
}

impl Turns {
    /// `crowded`: how long the turn is while others wait.
    async fn short(&self, statement: &Statement<'_>, crowded: Duration) -> Ended {
        let turn = self.short_turn().await;
        let looked_up = Arc::new(Notify::new());
        let mut planning = self.begin(statement, SHORT_BYTES_MAX, &looked_up);
        let turn = tokio::select! {
            ended = &mut planning => return Some(ended),
            turn = self.until_known(turn, &looked_up) => turn,
        };
        tokio::select! {
            ended = &mut planning => return Some(ended),
            () = self.patience(crowded) => {}
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
        let ended = self.begin(statement, LONG_BYTES_MAX, &Arc::default()).await;
        ended.unwrap_or_else(|lost| Err(lost.error(LONG_BYTES_MAX)))
    }

    fn begin(&self, statement: &Statement<'_>, memory_bytes_max: u64, looked_up: &Arc<Notify>) -> Planning {
        let ask = Ask {
            sql: statement.sql.to_owned(),
            session: statement.session.clone(),
            memory_bytes_max,
        };
        let (pool, requests) = (self.pool.clone(), statement.requests.clone());
        Box::pin(pool.plan(ask, requests, looked_up.clone()))
    }

    async fn short_turn(&self) -> SemaphorePermit<'_> {
        let _waiting = Waiting::new(&self.waiting);
        let turn = self.short.acquire().await;
        turn.expect("nobody closes it")
    }

    /// Returns when the statement's tables are known. One that waits long for S3 makes room for others, unless many do.
    async fn until_known<'a>(&'a self, turn: SemaphorePermit<'a>, looked_up: &Notify) -> SemaphorePermit<'a> {
        if timeout(LOOKUP_DURATION_MAX, looked_up.notified()).await.is_ok() {
            return turn;
        }
        let turn = self.reading.try_acquire().unwrap_or(turn);
        looked_up.notified().await;
        turn
    }

    /// Returns when a short turn is over.
    async fn patience(&self, crowded: Duration) {
        let begun = Instant::now();
        let most = || match self.waiting.load(Ordering::Acquire) {
            0 => SHORT_DURATION_MAX,
            _ => crowded,
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
