//! The one owner of the scheduler: takes orders and answers, feeds events in, carries commands out. Never waits for a call itself: each
//! runs as a task of its own. A call whose outcome matters comes back as an order; deletes, sweeps, heartbeats and lease messages do not.

mod cleanup;
mod launch;
mod record;
mod resume;

pub use record::Appended;
pub use resume::{Past, Resumption};

use crate::clock::now;
use crate::handle::QueryHandle;
use crate::journal::{Journal, JournalError};
use crate::lease::{self, Owned};
use crate::live::Live;
use crate::recover::Recovery;
use crate::{DriverSettings, World};
use mayfly_protocol::journal::{Accepted, Entry, Outcome, QueryLimits, Request};
use mayfly_protocol::{EpochMs, ErrorCode, FunctionSize, QueryError, QueryId, StageGraph, TaskSpec};
use mayfly_schedule::journal::Role;
use mayfly_schedule::{Command, Event, Scheduler};
use mayfly_store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long a query's first record is tried.
const ACCEPT_MAX: Duration = Duration::from_secs(20);
/// How long a stopping driver waits for canceled queries to be journaled.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How long the actor sleeps when the scheduler asks for no wake-up.
const IDLE: Duration = Duration::from_secs(3_600);

/// A planned query, to be accepted and run.
pub struct Submission {
    pub query: QueryId,
    pub request: Request,
    pub graph: StageGraph,
    pub limits: QueryLimits,
    /// The request's deadline on the steady clock: it counts here, and the request's name of it where the query is resumed.
    pub deadline: EpochMs,
    /// How the server shows the result; kept in the journal and never read here.
    pub presentation: String,
    /// The handle through which the query's planning was metered; what the coordinator spends on the query's behalf is counted on it until the
    /// end.
    pub requests: Store,
}

impl Submission {
    fn entry(&self) -> Entry {
        Entry::Accepted(Box::new(Accepted {
            request: self.request.clone(),
            limits: self.limits,
            graph: self.graph.clone(),
            presentation: self.presentation.clone(),
        }))
    }
}

/// What is kept of a query for those who ask for it.
#[derive(Debug)]
pub struct Kept {
    pub request: Request,
    pub presentation: String,
}

impl Kept {
    pub(crate) fn of(accepted: &Accepted) -> Kept {
        Kept {
            request: accepted.request.clone(),
            presentation: accepted.presentation.clone(),
        }
    }
}

pub type Answer = oneshot::Sender<Result<QueryHandle, QueryError>>;

/// What the actor is told.
pub enum Order {
    Submit(Box<Submission>, Answer),
    /// Record 0 is durable, or could not be written.
    Accepted(Box<Submission>, Answer, Box<Journal>, Result<(), JournalError>),
    Happened(Box<Event>),
    /// A large plan is in S3, or is not.
    PlanPut {
        query: QueryId,
        key: String,
        result: Result<(), QueryError>,
    },
    Appended(Box<Appended>),
    /// Half a lease has passed.
    Beat(QueryId),
    Resume(Box<Resumption>),
    Past(Box<Past>),
    Find(QueryId, oneshot::Sender<Option<(Arc<Kept>, QueryHandle)>>),
    Cancel(QueryId),
    Release(QueryId),
    /// Nobody watched the query when it ended: time is up for whoever might have asked for its rows.
    ReleaseUnwatched(QueryId),
    Stop(oneshot::Sender<()>),
}

pub fn shutting_down() -> QueryError {
    QueryError::new(ErrorCode::ServerShuttingDown, "the server is shutting down")
}

struct Actor {
    settings: Arc<DriverSettings>,
    world: World,
    scheduler: Scheduler,
    orders: mpsc::UnboundedSender<Order>,
    live: BTreeMap<QueryId, Live>,
    owned: Arc<Owned>,
    recovery: Recovery,
    /// Specs that wait for a plan object, by its key.
    waiting: BTreeMap<String, Vec<(Box<TaskSpec>, FunctionSize)>>,
    /// Nobody takes queries over for an actor that is gone, in whatever way.
    _stop: DropGuard,
    stopping: Option<oneshot::Sender<()>>,
}

/// Starts the actor and the receiver of lease messages; both end when the last [`crate::Driver`] is told to shut down.
pub fn spawn(recovery: Recovery, inbox: mpsc::UnboundedReceiver<Order>) {
    let (owned, stop) = (Arc::new(Owned::default()), CancellationToken::new());
    let Recovery {
        world,
        settings,
        orders,
    } = recovery.clone();
    tokio::spawn(lease::receive(recovery.clone(), owned.clone(), stop.clone()));
    let schedule = mayfly_schedule::Settings {
        concurrency_max: settings.concurrency_max,
        short_turns_max: mayfly_schedule::Settings::short_turns(settings.concurrency_max),
        tenant: settings.tenant.clone(),
        bucket: settings.bucket.clone(),
        ..mayfly_schedule::Settings::default()
    };
    let actor = Actor {
        scheduler: Scheduler::new(schedule, settings.seed),
        settings: Arc::new(settings),
        world,
        orders,
        live: BTreeMap::new(),
        owned,
        recovery,
        waiting: BTreeMap::new(),
        _stop: stop.drop_guard(),
        stopping: None,
    };
    tokio::spawn(actor.run(inbox));
}

impl Actor {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let mut stop_at = None;
        loop {
            self.carry_out();
            let wake = self.scheduler.poll_timeout().map_or(IDLE, |at| at.since(now()));
            let give_up = stop_at.map_or(IDLE, |at: tokio::time::Instant| {
                at.duration_since(tokio::time::Instant::now())
            });
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => self.take(order),
                    None => return,
                },
                () = tokio::time::sleep(wake) => self.scheduler.handle_timeout(now()),
                () = tokio::time::sleep(give_up), if stop_at.is_some() => return self.stopped(),
            }
            if self.stopping.is_some() {
                stop_at.get_or_insert_with(|| tokio::time::Instant::now() + STOP_WAIT);
                if self.live.values().all(|live| live.status.borrow().is_final()) {
                    return self.stopped();
                }
            }
        }
    }

    fn stopped(mut self) {
        if let Some(answer) = self.stopping.take() {
            let _ = answer.send(());
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Submit(submission, answer) => self.submit(submission, answer),
            Order::Accepted(submission, answer, journal, result) => {
                self.accepted(*submission, answer, *journal, result);
            }
            Order::Happened(event) => self.happened(*event),
            Order::PlanPut { query, key, result } => self.plan_put(query, key, result),
            Order::Appended(appended) => self.appended(*appended),
            Order::Beat(query) => self.beat(&query),
            Order::Resume(resumption) => self.resume(*resumption),
            Order::Past(past) => self.past(*past),
            // A receiver that is gone wants no answer.
            Order::Find(query, answer) => drop(answer.send(self.find(&query))),
            Order::Cancel(query) => self.cancel(query),
            Order::Release(query) => self.release(query),
            Order::ReleaseUnwatched(query) if self.is_watched(&query) => {}
            Order::ReleaseUnwatched(query) => self.release(query),
            Order::Stop(answer) => self.stop_all(answer),
        }
    }

    /// Journals the request and its plan; the query starts when that is durable.
    fn submit(&mut self, submission: Box<Submission>, answer: Answer) {
        if self.stopping.is_some() {
            let _ = answer.send(Err(shutting_down()));
            return;
        }
        let (query, requests) = (submission.query.clone(), submission.requests.clone());
        let mut journal = Journal::new(requests, &self.settings, query, Role::Owner, 0);
        let (orders, coordinator) = (self.orders.clone(), self.settings.coordinator.clone());
        tokio::spawn(async move {
            let entries = vec![submission.entry(), Entry::Epoch { epoch: 1, coordinator }];
            let result = journal.append(entries, None, ACCEPT_MAX).await.map(drop);
            let _ = orders.send(Order::Accepted(submission, answer, Box::new(journal), result));
        });
    }

    fn accepted(&mut self, submission: Submission, answer: Answer, journal: Journal, result: Result<(), JournalError>) {
        if let Err(error) = result {
            let _ = answer.send(Err(journal_error(&error)));
            return;
        }
        let Submission {
            query,
            request,
            graph,
            limits,
            presentation,
            requests,
            deadline,
        } = submission;
        let (status, watch) = watch::channel(Live::accepted());
        let kept = Arc::new(Kept { request, presentation });
        let mut live = Live::new(status, journal, requests, kept, deadline);
        live.sqs_requests += 1;
        self.live.insert(query.clone(), live);
        self.owned.begin(&query);
        self.send_lease(query.clone());
        self.start_beats(query.clone());
        let handle = QueryHandle::new(query.clone(), watch, self.orders.clone());
        let _ = answer.send(Ok(handle));
        self.scheduler.handle(
            now(),
            Event::Submitted {
                query,
                epoch: 1,
                graph,
                deadline,
                limits,
            },
        );
    }

    fn send_lease(&self, query: QueryId) {
        let (world, settings) = (self.world.clone(), self.settings.clone());
        tokio::spawn(async move { lease::send(&world, &settings, &query).await });
    }

    fn happened(&mut self, event: Event) {
        let query = match &event {
            Event::Reported { attempt, .. } | Event::Failed { attempt, .. } => attempt.query.clone(),
            _ => return self.scheduler.handle(now(), event),
        };
        log(&event);
        if let Some(live) = self.live.get_mut(&query) {
            live.book(&event);
        }
        self.scheduler.handle(now(), event);
        self.publish(&query);
        self.forget(&query);
    }

    fn carry_out(&mut self) {
        let mut launched = BTreeSet::new();
        while let Some(command) = self.scheduler.poll_command() {
            match command {
                Command::PutPlan { query, key, plan } => self.put_plan(query, key, plan),
                // Shows in the progress of its stage.
                Command::Regrouped { query, stage, tasks } => {
                    tracing::debug!(%query, %stage, tasks = tasks.len(), "regrouped");
                }
                Command::Switched { query, alternative } => {
                    tracing::debug!(%query, stage = %alternative.stage.id, "takes its alternative");
                }
                Command::Invoke { spec, size } => {
                    launched.insert(spec.attempt.query.clone());
                    self.launch(spec, size);
                }
                Command::Journal { query } => self.journal(query),
                Command::Finish {
                    query,
                    outcome,
                    progress,
                    ..
                } => self.finish(query, outcome, *progress),
                Command::Late { attempt, output, .. } => self.drop_output(&attempt, output),
                Command::Discard { attempt, output, .. } => self.drop_output(&attempt, Some(output)),
            }
        }
        // Watchers see attempts from their launch.
        for query in launched {
            self.publish(&query);
        }
    }

    fn publish(&self, query: &QueryId) {
        if let Some(live) = self.live.get(query) {
            live.publish(self.scheduler.progress(query));
        }
    }

    /// The end is durable, or never will be.
    fn ended(&mut self, query: QueryId, outcome: Outcome) {
        let Some(live) = self.live.get_mut(&query) else { return };
        let keep = match &outcome {
            Outcome::Finished { root, .. } => Some(*root),
            Outcome::Failed { .. } | Outcome::Canceled => None,
        };
        live.released |= keep.is_none();
        live.root = keep;
        live.lost |= was_stopped_elsewhere(&outcome);
        live.end(outcome, &self.settings.bucket);
        let garbage = live.garbage(keep);
        let runs_on = !live.flights.is_empty();
        self.owned.end(&query);
        self.delete(&query, garbage);
        if runs_on {
            self.tell_to_stop(&query);
        }
        self.release_if_unwatched(&query);
        self.forget(&query);
    }

    fn release(&mut self, query: QueryId) {
        let Some(live) = self.live.get_mut(&query) else { return };
        live.released = true;
        let garbage = live.garbage(None);
        self.delete(&query, garbage);
        self.forget(&query);
    }

    fn stop_all(&mut self, answer: oneshot::Sender<()>) {
        self.stopping = Some(answer);
        let queries: Vec<QueryId> = self.live.keys().cloned().collect();
        for query in queries {
            self.scheduler.handle(now(), Event::Canceled { query });
        }
    }
}

/// Attempts have read the word to stop, which another server wrote: it goes with a sweep.
fn was_stopped_elsewhere(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { error } if error.code == ErrorCode::UserCanceled)
}

pub fn journal_error(error: &JournalError) -> QueryError {
    QueryError::new(ErrorCode::S3Error, error.to_string()).hint("the journal must be writable for a query to run")
}

fn log(event: &Event) {
    match event {
        Event::Reported { attempt, answer, meter } => {
            tracing::debug!(%attempt, rows = answer.output.rows(), billed_ms = meter.billed_ms, "done");
        }
        Event::Failed { attempt, failure, .. } => {
            tracing::warn!(%attempt, class = failure.class(), %failure, "attempt failed")
        }
        _ => {}
    }
}
