//! A running query whose fate the test decides.

use async_trait::async_trait;
use mayfly_protocol::{ExchangeKind, Meter, StageId, TaskStatistics};
use mayfly_server::engine::{Journaled, Pages, RunningQuery, StageProgress, State, Status};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::watch;

pub struct FakeQuery {
    pub status: watch::Sender<Status>,
    pub rows: Arc<dyn Pages>,
    pub cancels: AtomicU32,
    pub releases: AtomicU32,
}

impl FakeQuery {
    pub fn new(rows: Arc<dyn Pages>) -> FakeQuery {
        let status = Status {
            state: State::Running,
            stages: Vec::new(),
            in_flight: 0,
            sweep_due: false,
            coordinator: Meter::default(),
            journal: Journaled::default(),
            bill: None,
            error: None,
        };
        let status = watch::Sender::new(status);
        FakeQuery {
            status,
            rows,
            cancels: AtomicU32::new(0),
            releases: AtomicU32::new(0),
        }
    }

    pub fn becomes(&self, state: State) {
        self.status.send_modify(|status| status.state = state);
    }

    /// One stage with so many of its ten tasks done.
    pub fn progress(&self, done: u32) {
        let meter = Meter {
            billed_ms: u64::from(done) * 100,
            invocations: u64::from(done),
            ..Meter::default()
        };
        let stage = StageProgress {
            stage: StageId::new(0),
            exchange: ExchangeKind::Single,
            alternative: None,
            tasks: 10,
            tasks_queued: 0,
            tasks_running: 10 - done,
            tasks_done: done,
            tasks_skipped: 0,
            attempts_failed: 0,
            rows_in: u64::from(done) * 1000,
            bytes_in: u64::from(done) * 8000,
            rows_out: 0,
            bytes_out: 0,
            spilled_bytes: 0,
            attempts: 10,
            copies: 0,
            copies_won: 0,
            speculated: Meter::default(),
            statistics: TaskStatistics::default(),
            skew: None,
            meter,
        };
        self.status.send_modify(|status| status.stages = vec![stage]);
    }
}

#[async_trait]
impl RunningQuery for FakeQuery {
    fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    async fn ended(&self, timeout: Duration) -> Status {
        let mut status = self.status.subscribe();
        let _ = tokio::time::timeout(timeout, status.wait_for(|status| status.state.is_final())).await;
        self.status()
    }

    fn cancel(&self) {
        self.cancels.fetch_add(1, Ordering::SeqCst);
        self.status.send_modify(|status| {
            if !status.state.is_final() {
                status.state = State::Canceled;
            }
        });
    }

    fn release(&self) {
        self.releases.fetch_add(1, Ordering::SeqCst);
    }

    fn rows(&self) -> Option<Arc<dyn Pages>> {
        (self.status().state == State::Finished).then(|| self.rows.clone())
    }
}
