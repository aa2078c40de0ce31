//! A query at one moment, put together from what the server knows and what the engine says.

use super::{Life, Planned, Query, Ready, Stop};
use crate::clock;
use crate::engine::{Journaled, StageProgress, State};
use mayfly_cost::Bill;
use mayfly_protocol::{EpochMs, ErrorCode, Meter, QueryError};
use std::time::Duration;

/// How long an end from outside waits for the engine's own end, which brings the bill.
const STOP_DURATION_MAX: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Queued,
    Planning,
    Running,
    /// The outcome stands; rows are left to read.
    Finishing,
    Finished,
    Failed,
}

impl Phase {
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Queued => "QUEUED",
            Phase::Planning => "PLANNING",
            Phase::Running => "RUNNING",
            Phase::Finishing => "FINISHING",
            Phase::Finished => "FINISHED",
            Phase::Failed => "FAILED",
        }
    }

    pub const fn is_final(self) -> bool {
        matches!(self, Phase::Finished | Phase::Failed)
    }
}

#[derive(Clone, Debug)]
pub struct View {
    pub phase: Phase,
    pub error: Option<QueryError>,
    pub plan: Option<String>,
    pub stages: Vec<StageProgress>,
    /// Attempts are out, or what they left is yet to be looked for: more is to come on the bill.
    pub so_far: bool,
    pub coordinator: Meter,
    pub journal: Journaled,
    pub bill: Option<Bill>,
    pub created_at: EpochMs,
    pub planning_since: Option<EpochMs>,
    pub planned_at: Option<EpochMs>,
}

impl Query {
    pub fn view(&self) -> View {
        let life = self.life.borrow().clone();
        let mut view = View::new(self.created_at);
        match life {
            Life::Registered => {}
            Life::Planning { since } => view.planning(since),
            Life::Planned(planned) => view.planned(&planned, self.is_drained()),
        }
        if let Some(stop) = self.stopped() {
            view.stopped(stop);
        }
        view
    }
}

impl View {
    fn new(created_at: EpochMs) -> View {
        View {
            phase: Phase::Queued,
            error: None,
            plan: None,
            stages: Vec::new(),
            so_far: false,
            coordinator: Meter::default(),
            journal: Journaled::default(),
            bill: None,
            created_at,
            planning_since: None,
            planned_at: None,
        }
    }

    /// Of a statement that never became a query.
    pub fn refused(error: QueryError, now: EpochMs) -> View {
        View {
            phase: Phase::Failed,
            error: Some(error),
            ..View::new(now)
        }
    }

    fn planning(&mut self, since: EpochMs) {
        self.phase = Phase::Planning;
        self.planning_since = Some(since);
    }

    fn planned(&mut self, planned: &Planned, drained: bool) {
        self.planning(planned.since);
        self.planned_at = Some(planned.at);
        self.bill = planned.bill.clone();
        let done = if drained { Phase::Finished } else { Phase::Finishing };
        match &planned.outcome {
            Err(error) => self.failed(error.clone()),
            Ok(Ready::Rows { .. } | Ready::Update { .. }) => self.phase = done,
            Ok(Ready::Query { plan, query, .. }) => {
                let status = query.status();
                self.plan = Some(plan.clone());
                self.stages = status.stages;
                self.so_far = status.in_flight > 0 || status.sweep_due;
                self.coordinator = status.coordinator;
                self.journal = status.journal;
                self.bill = status.bill.or(self.bill.take());
                match status.state {
                    State::Queued => self.phase = Phase::Queued,
                    State::Running => self.phase = Phase::Running,
                    State::Finished => self.phase = done,
                    State::Failed => self.failed(status.error.unwrap_or_else(unexplained)),
                    State::Canceled => self.failed(canceled()),
                }
            }
        }
    }

    /// An end from outside shows once the engine has ended too, or will not in time. It explains a cancellation, but no other failure.
    fn stopped(&mut self, stop: Stop) {
        let was_canceled = self
            .error
            .as_ref()
            .is_some_and(|error| error.code == ErrorCode::UserCanceled);
        match self.phase {
            Phase::Finished => {}
            Phase::Failed if !was_canceled => {}
            Phase::Queued | Phase::Running if self.ends_soon(&stop) => {}
            _ => self.failed(stop.error),
        }
    }

    /// Whether the engine had the query when it was stopped, and may yet tell what became of it.
    fn ends_soon(&self, stop: &Stop) -> bool {
        let had = self.planned_at.is_some_and(|planned| planned <= stop.at);
        had && clock::now().since(stop.at) < STOP_DURATION_MAX
    }

    fn failed(&mut self, error: QueryError) {
        self.phase = Phase::Failed;
        self.error = Some(error);
    }

    /// What all stages and the coordinator used so far.
    pub fn meter(&self) -> Meter {
        self.stages
            .iter()
            .map(|stage| stage.meter)
            .chain([self.coordinator])
            .sum()
    }
}

fn canceled() -> QueryError {
    QueryError::new(ErrorCode::UserCanceled, "query was canceled")
}

fn unexplained() -> QueryError {
    QueryError::new(ErrorCode::GenericInternalError, "query failed without a reason")
}
