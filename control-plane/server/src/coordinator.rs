//! The engine as it is: planner and driver behind the server's port. Leaves HTTP to the routes and decisions to the parts it joins.

use crate::analyze::Analyzed;
use crate::clock;
use crate::engine::{
    Answer, Columns, Engine, Journaled, Pages, Position, Recovered, RowBatches, RunningQuery, SessionChange,
    StageProgress, State, Status, Submission,
};
use crate::learn::Learning;
use crate::planning::{Deadline, Planners};
use crate::presentation::Presentation;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use mayfly_cost::{Bill, PriceBook, bill};
use mayfly_driver::{Driver, QueryHandle, QueryState, QueryStatus};
use mayfly_exchange::{ExchangeError, ResultReader};
use mayfly_plan::{Planned, PlannedQuery, Planner, Purpose, Session};
use mayfly_protocol::journal::{QueryLimits, Request};
use mayfly_protocol::{EpochMs, ErrorCode, Meter, QueryError, QueryId};
use mayfly_store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Catalog of statements that name none.
const CATALOG_DEFAULT: &str = "lake";

/// Planner, driver and the store through which results are read.
pub struct Coordinator {
    pub planner: Planner,
    /// Processes that plan in place of `planner`, which then only keeps what ANALYZE TABLE has learned.
    pub planners: Option<Planners>,
    pub driver: Driver,
    pub store: Store,
    pub prices: PriceBook,
}

#[async_trait]
impl Engine for Coordinator {
    async fn submit(&self, id: QueryId, request: Request, memo: String, stop: CancellationToken) -> Submission {
        // What planning asks of S3 is the query's too: it is counted on a meter that the driver goes on with.
        let requests = self.store.fork();
        let deadline = clock::counted(request.deadline);
        let planned = self.plan(&request, &requests, &stop).await;
        let answer = match planned {
            Ok(Planned::Query(planned)) => self.run(id, request, deadline, planned, memo, requests.clone()).await,
            Ok(Planned::Rows {
                schema,
                columns,
                batches,
            }) => Ok(Answer::Rows {
                columns: Columns { names: columns, schema },
                rows: Arc::new(RowBatches(batches)),
            }),
            Ok(Planned::Update { update_type, session }) => {
                let changes = session.into_iter().map(change).collect();
                Ok(Answer::Update {
                    update_type: update_type.into_owned(),
                    changes,
                })
            }
            Err(error) => Err(error),
        };
        Submission {
            answer,
            bill: Some(self.bill(&requests)),
        }
    }

    async fn recover(&self, id: &QueryId) -> Result<Option<Recovered>, QueryError> {
        let requests = self.store.fork();
        let Some(found) = self.driver.recover(id, requests.clone()).await? else {
            return Ok(None);
        };
        let presentation = Presentation::read(&found.accepted.presentation)?;
        Ok(Some(Recovered {
            accepted_at: found.accepted.request.accepted_at,
            memo: presentation.memo.clone(),
            answer: self.answer(found.handle, presentation, requests, Kept::Perhaps),
        }))
    }

    async fn is_ready(&self) -> bool {
        self.planner.catalog().is_reachable().await
    }
}

impl Coordinator {
    /// Plans within the query's time and until it is stopped. Who stopped it has said why: that is what its client hears.
    async fn plan(&self, request: &Request, requests: &Store, stop: &CancellationToken) -> Result<Planned, QueryError> {
        let session = session(request);
        let planning = async {
            match &self.planners {
                Some(planners) => planners.plan(&request.sql, &session, requests).await,
                None => self.planner(requests).plan(&request.sql, &session).await,
            }
        };
        let deadline = Deadline::of(request, clock::wall());
        tokio::select! {
            planned = planning => planned,
            () = stop.cancelled() => Err(QueryError::new(ErrorCode::UserCanceled, "query was canceled")),
            () = tokio::time::sleep(deadline.left) => Err(deadline.passed()),
        }
    }

    async fn run(
        &self,
        id: QueryId,
        request: Request,
        deadline: EpochMs,
        planned: PlannedQuery,
        memo: String,
        requests: Store,
    ) -> Result<Answer, QueryError> {
        let PlannedQuery {
            graph,
            schema,
            columns,
            text,
            fragments,
            purpose,
            memory_bytes_max,
            result_rows_max,
        } = planned;
        let limits = QueryLimits {
            memory_bytes_max,
            result_rows_max,
        };
        let columns = Columns { names: columns, schema };
        let presentation = Presentation::new(memo, &columns, text.distributed, fragments, purpose)?;
        let submission = mayfly_driver::Submission {
            query: id,
            request,
            graph,
            limits,
            deadline,
            presentation: presentation.write(),
            requests: requests.clone(),
        };
        let handle = self.driver.submit(submission).await?;
        self.answer(handle, presentation, requests, Kept::Surely)
    }

    /// The query as its client sees it, by what it is run for.
    fn answer(
        &self,
        handle: QueryHandle,
        shown: Presentation,
        requests: Store,
        kept: Kept,
    ) -> Result<Answer, QueryError> {
        let columns = shown.columns()?;
        let query = Arc::new(Running {
            handle,
            store: requests,
            schema: columns.schema.clone(),
            prices: self.prices.clone(),
            kept,
        });
        let (columns, query): (Columns, Arc<dyn RunningQuery>) = match shown.purpose {
            Purpose::Rows => (columns, query),
            Purpose::Explain => (Analyzed::columns(), Arc::new(Analyzed::new(query, shown.fragments))),
            Purpose::Learn(lesson) => {
                let catalog = self.planner.catalog().clone();
                (Learning::columns(), Arc::new(Learning { query, lesson, catalog }))
            }
        };
        let plan = shown.plan;
        Ok(Answer::Query { columns, plan, query })
    }

    /// A planner whose requests are counted on that meter; what the catalog has cached is shared.
    fn planner(&self, requests: &Store) -> Planner {
        self.planner.over(Arc::new(self.planner.catalog().metered(requests)))
    }

    fn bill(&self, requests: &Store) -> Bill {
        let meter = Meter {
            s3: requests.meter(),
            ..Meter::default()
        };
        bill(&self.prices, &BTreeMap::from([(None, meter)]))
    }
}

fn session(request: &Request) -> Session {
    Session {
        catalog: request.catalog.clone().unwrap_or_else(|| CATALOG_DEFAULT.to_owned()),
        schema: request.schema.clone(),
        user: request.user.clone(),
        properties: request.session.clone(),
        time_zone: request.time_zone.clone(),
        now: request.accepted_at,
    }
}

fn change(change: mayfly_plan::SessionChange) -> SessionChange {
    match change {
        mayfly_plan::SessionChange::SetCatalog(name) => SessionChange::SetCatalog(name),
        mayfly_plan::SessionChange::SetSchema(name) => SessionChange::SetSchema(name),
        mayfly_plan::SessionChange::SetProperty { key, value } => SessionChange::SetProperty { key, value },
        mayfly_plan::SessionChange::ResetProperty { key } => SessionChange::ResetProperty { key },
    }
}

/// A query in the driver's hands.
struct Running {
    handle: QueryHandle,
    /// Shares its meter with the driver: what reading the result asks of S3 is the query's too.
    store: Store,
    schema: SchemaRef,
    prices: PriceBook,
    kept: Kept,
}

/// Whether a query's rows are still there.
#[derive(Clone, Copy)]
enum Kept {
    Surely,
    /// Who ran it may have let go of them: nobody asked for too long.
    Perhaps,
}

impl Running {
    fn shown(&self, mut status: QueryStatus) -> Status {
        count_flights(&mut status);
        let mut coordinator = Meter {
            s3: self.store.meter(),
            ..status.coordinator
        };
        coordinator += status.before;
        let stages = status.usage.iter().map(|(stage, meter)| (Some(*stage), *meter));
        let usage = stages.chain([(None, coordinator)]).collect();
        shown(status, coordinator, bill(&self.prices, &usage))
    }
}

#[async_trait]
impl RunningQuery for Running {
    fn status(&self) -> Status {
        self.shown(self.handle.status())
    }

    async fn ended(&self, timeout: Duration) -> Status {
        self.shown(self.handle.ended(timeout).await)
    }

    fn cancel(&self) {
        self.handle.cancel();
    }

    fn release(&self) {
        self.handle.release();
    }

    fn rows(&self) -> Option<Arc<dyn Pages>> {
        let result = self.handle.status().result?;
        let outputs = result.outputs.as_ref().clone();
        let reader = ResultReader::new(self.store.clone(), result.bucket, outputs, self.schema.clone());
        let kept = self.kept;
        Some(Arc::new(ResultPages { reader, kept }))
    }
}

/// Attempts that are out count with what they would be billed if they ended now.
fn count_flights(status: &mut QueryStatus) {
    let now = clock::now();
    for flight in &status.flights {
        let meter = flight.meter(now);
        *status.usage.entry(flight.stage).or_default() += meter;
        let mut stages = status.progress.stages.iter_mut();
        if let Some(stage) = stages.find(|stage| stage.stage == flight.stage) {
            stage.meter += meter;
        }
    }
}

fn shown(status: QueryStatus, coordinator: Meter, bill: Bill) -> Status {
    let launched = status.progress.stages.iter().any(|stage| stage.attempts > 0);
    let state = match status.state {
        QueryState::Running if launched => State::Running,
        QueryState::Running => State::Queued,
        QueryState::Finished => State::Finished,
        QueryState::Failed => State::Failed,
        QueryState::Canceled => State::Canceled,
    };
    let stages = status.progress.stages.iter().map(stage).collect();
    Status {
        state,
        stages,
        in_flight: u32::try_from(status.flights.len()).unwrap_or(u32::MAX),
        sweep_due: status.sweep_due,
        coordinator,
        journal: Journaled {
            records: status.journal.records,
            duration_ms: status.journal.took.as_secs_f64() * 1000.0,
        },
        bill: Some(bill),
        error: status.error,
    }
}

fn stage(stage: &mayfly_schedule::StageProgress) -> StageProgress {
    StageProgress {
        stage: stage.stage,
        exchange: stage.exchange,
        alternative: stage.alternative,
        tasks: stage.tasks(),
        tasks_queued: stage.planned + stage.queued,
        tasks_running: stage.running,
        tasks_done: stage.done,
        tasks_skipped: stage.skipped,
        attempts_failed: stage.failed_attempts,
        rows_in: stage.statistics.rows_read + stage.statistics.rows_scanned,
        bytes_in: stage.meter.s3.bytes_read,
        rows_out: stage.rows_out,
        bytes_out: stage.bytes_out,
        spilled_bytes: stage.statistics.spilled_bytes,
        attempts: stage.attempts,
        copies: stage.copies,
        copies_won: stage.copies_won,
        speculated: stage.speculated,
        statistics: stage.statistics,
        skew: stage.skew,
        meter: stage.meter,
    }
}

/// Result objects, read block by block.
struct ResultPages {
    reader: ResultReader,
    kept: Kept,
}

#[async_trait]
impl Pages for ResultPages {
    async fn next_batch(&self, position: &mut Position) -> Result<Option<RecordBatch>, QueryError> {
        let mut at: mayfly_exchange::Position = position.get()?;
        let batch = self.reader.next_batch(&mut at).await;
        let batch = batch.map_err(|error| unreadable(&error, self.kept))?;
        position.set(&at)?;
        Ok(batch)
    }
}

fn unreadable(error: &ExchangeError, kept: Kept) -> QueryError {
    match (error, kept) {
        (ExchangeError::ResultLost { .. }, Kept::Perhaps) => QueryError::new(
            ErrorCode::AbandonedQuery,
            "query was abandoned: its rows were let go, as nobody asked for them for too long",
        )
        .hint("submit it again, and read its pages as they come"),
        _ => QueryError::new(ErrorCode::S3Error, format!("the result cannot be read: {error}")),
    }
}
