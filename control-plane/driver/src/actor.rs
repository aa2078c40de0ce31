//! The one owner of the scheduler: takes orders and answers, feeds events in, carries commands out. Never waits for a call itself: each
//! runs as a task of its own and comes back as an order.

mod cleanup;
mod launch;

use crate::clock::now;
use crate::handle::{QueryHandle, QueryStatus};
use crate::journal::{Journal, JournalError};
use crate::lease::{self, Owned};
use crate::live::Live;
use crate::{DriverSettings, World};
use mayfly_protocol::journal::{Entry, Outcome, Request};
use mayfly_protocol::{ErrorCode, FunctionSize, QueryError, QueryId, StageGraph, TaskSpec};
use mayfly_schedule::{Command, Event, Progress, QueryLimits, Scheduler};
use mayfly_store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// How long a stopping driver waits for canceled queries to be journaled.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How long the actor sleeps when the scheduler asks for no wake-up.
const IDLE: Duration = Duration::from_secs(3_600);

/// A query as it was handed in.
pub struct Submission {
    pub query: QueryId,
    pub request: Request,
    pub graph: StageGraph,
    pub limits: QueryLimits,
    pub requests: Store,
    pub answer: oneshot::Sender<Result<QueryHandle, QueryError>>,
}

/// What the actor is told.
pub enum Order {
    Submit(Box<Submission>),
    /// Record 0 is durable, or could not be written.
    Accepted(Box<Submission>, Box<Journal>, Result<(), JournalError>),
    Happened(Box<Event>),
    /// A large plan is in S3, or is not.
    PlanPut {
        query: QueryId,
        key: String,
        result: Result<(), QueryError>,
    },
    /// The final record is durable, or could not be written.
    Final(QueryId, Box<Outcome>, Result<(), JournalError>),
    Cancel(QueryId),
    Release(QueryId),
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
    /// Names this coordinator in the journal.
    writer: String,
    /// Specs that wait for a plan object, by its key.
    waiting: BTreeMap<String, Vec<(Box<TaskSpec>, FunctionSize)>>,
    stop: CancellationToken,
    stopping: Option<oneshot::Sender<()>>,
}

/// Starts the actor and the receiver of lease messages; both end when the last [`crate::Driver`] is told to shut down.
pub fn spawn(
    settings: DriverSettings,
    world: World,
    orders: mpsc::UnboundedSender<Order>,
    inbox: mpsc::UnboundedReceiver<Order>,
) {
    let (owned, stop) = (Arc::new(Owned::default()), CancellationToken::new());
    tokio::spawn(lease::receive(
        world.clone(),
        settings.clone(),
        owned.clone(),
        stop.clone(),
    ));
    let schedule = mayfly_schedule::Settings {
        concurrency_max: settings.concurrency_max,
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
        writer: uuid::Uuid::new_v4().to_string(),
        waiting: BTreeMap::new(),
        stop,
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
        self.stop.cancel();
        if let Some(answer) = self.stopping.take() {
            let _ = answer.send(());
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Submit(submission) => self.submit(submission),
            Order::Accepted(submission, journal, result) => self.accepted(*submission, *journal, result),
            Order::Happened(event) => self.happened(*event),
            Order::PlanPut { query, key, result } => self.plan_put(query, key, result),
            Order::Final(query, outcome, result) => self.ended(query, *outcome, result),
            Order::Cancel(query) => self.scheduler.handle(now(), Event::Canceled { query }),
            Order::Release(query) => self.release(query),
            Order::Stop(answer) => self.stop_all(answer),
        }
    }

    /// Journals the request; the query starts when that is durable.
    fn submit(&mut self, submission: Box<Submission>) {
        if self.stopping.is_some() {
            let _ = submission.answer.send(Err(shutting_down()));
            return;
        }
        let (bucket, tenant) = (self.settings.bucket.clone(), self.settings.tenant.clone());
        let (query, writer) = (submission.query.clone(), self.writer.clone());
        let mut journal = Journal::new(submission.requests.clone(), bucket, tenant, query, writer, 0);
        let orders = self.orders.clone();
        tokio::spawn(async move {
            let entry = Entry::Accepted {
                request: submission.request.clone(),
            };
            let result = journal.append(now(), entry).await;
            let _ = orders.send(Order::Accepted(submission, Box::new(journal), result));
        });
    }

    fn accepted(&mut self, submission: Submission, journal: Journal, result: Result<(), JournalError>) {
        if let Err(error) = result {
            let _ = submission.answer.send(Err(journal_error(&error)));
            return;
        }
        let query = submission.query;
        let (status, watch) = watch::channel(Live::accepted());
        let mut live = Live::new(status, journal, submission.requests);
        live.sqs_requests += 1;
        self.live.insert(query.clone(), live);
        self.owned.begin(&query);
        self.send_lease(query.clone());
        self.beat(query.clone());
        let handle = QueryHandle::new(query.clone(), watch, self.orders.clone());
        let _ = submission.answer.send(Ok(handle));
        let (graph, deadline) = (submission.graph, submission.request.deadline);
        let limits = submission.limits;
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

    /// Writes a beat every half lease while the query runs, so that no other coordinator takes it for an orphan.
    fn beat(&self, query: QueryId) {
        let Some(live) = self.live.get(&query) else { return };
        let (journal, mut status, pause) = (live.journal.clone(), live.status.subscribe(), self.settings.lease / 2);
        tokio::spawn(async move {
            while tokio::time::timeout(pause, status.wait_for(QueryStatus::is_final))
                .await
                .is_err()
            {
                let mut journal = journal.lock().await;
                if status.borrow().is_final() {
                    return;
                }
                if let Err(error) = journal.append(now(), Entry::Beat { epoch: 1 }).await {
                    tracing::warn!(%query, %error, "cannot write a beat");
                }
            }
        });
    }

    fn happened(&mut self, event: Event) {
        let query = match &event {
            Event::Reported { attempt, .. } | Event::Failed { attempt, .. } => attempt.query.clone(),
            Event::Submitted { query, .. } | Event::Canceled { query } => query.clone(),
        };
        log(&event);
        if let Some(live) = self.live.get_mut(&query) {
            live.book(&event);
        }
        self.scheduler.handle(now(), event);
        let progress = self.scheduler.progress(&query);
        if let Some(live) = self.live.get(&query) {
            live.publish(progress);
        }
        self.forget(&query);
    }

    fn carry_out(&mut self) {
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
                Command::Invoke { spec, size } => self.launch(spec, size),
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
    }

    /// Makes the end durable; nothing is delivered before.
    fn finish(&mut self, query: QueryId, outcome: Outcome, progress: Progress) {
        let Some(live) = self.live.get(&query) else { return };
        live.publish(Some(progress));
        let (journal, orders, meter) = (live.journal.clone(), self.orders.clone(), live.total());
        tokio::spawn(async move {
            let entry = Entry::Final {
                outcome: outcome.clone(),
                meter,
            };
            let result = journal.lock().await.append(now(), entry).await;
            let _ = orders.send(Order::Final(query, Box::new(outcome), result));
        });
    }

    fn ended(&mut self, query: QueryId, outcome: Outcome, result: Result<(), JournalError>) {
        let Some(live) = self.live.get_mut(&query) else { return };
        let outcome = match result {
            Ok(()) => outcome,
            Err(error) => Outcome::Failed {
                error: journal_error(&error),
            },
        };
        let keep = match &outcome {
            Outcome::Finished { root, .. } => Some(*root),
            Outcome::Failed { .. } | Outcome::Canceled => None,
        };
        live.released |= keep.is_none();
        live.end(outcome, &self.settings.bucket);
        let garbage = live.garbage(keep);
        self.owned.end(&query);
        self.delete(&query, garbage);
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

fn journal_error(error: &JournalError) -> QueryError {
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
        Event::Submitted { .. } | Event::Canceled { .. } => {}
    }
}
