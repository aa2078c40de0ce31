//! The engine behind the server: planner and driver, plugged into the server's port. Translates and decides nothing.

use crate::exit::chain;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use mayfly_cost::{Bill, PriceBook};
use mayfly_driver::{Driver, QueryHandle, QueryState, QueryStatus};
use mayfly_exchange::ResultReader;
use mayfly_plan::{Planned, PlannedQuery, Planner, Session};
use mayfly_protocol::journal::Request;
use mayfly_protocol::{ErrorCode, Meter, QueryError, QueryId};
use mayfly_server::engine::{
    Answer, Columns, Engine, Pages, Position, RowBatches, RunningQuery, SessionChange, StageProgress, State, Status,
    Submission,
};
use mayfly_store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub struct LakeEngine {
    planner: Planner,
    driver: Driver,
    store: Store,
    prices: PriceBook,
}

impl LakeEngine {
    pub fn new(planner: Planner, driver: Driver, store: Store, prices: PriceBook) -> LakeEngine {
        LakeEngine {
            planner,
            driver,
            store,
            prices,
        }
    }

    async fn run(
        &self,
        id: QueryId,
        request: Request,
        planned: PlannedQuery,
        requests: Store,
    ) -> Result<Answer, QueryError> {
        let columns = columns(planned.columns, planned.schema.clone());
        let handle = self.driver.submit(id, request, planned.graph, requests.clone()).await?;
        let query = Run {
            handle,
            schema: planned.schema,
            store: requests,
        };
        Ok(Answer::Query {
            columns,
            plan: planned.text.distributed,
            query: Arc::new(query),
        })
    }

    /// What planning a statement cost that no driver bills.
    fn bill(&self, requests: &Store) -> Bill {
        let coordinator = Meter {
            s3: requests.meter(),
            ..Meter::default()
        };
        mayfly_cost::bill(&self.prices, &BTreeMap::from([(None, coordinator)]))
    }
}

#[async_trait]
impl Engine for LakeEngine {
    async fn submit(&self, id: QueryId, request: Request) -> Submission {
        // A meter of its own for each query; planning asks through it too.
        let requests = self.store.fork();
        let planned = self.planner.plan(&request.sql, &session(&request)).await;
        let answer = match planned {
            Ok(Planned::Query(query)) => self.run(id, request, query, requests.clone()).await,
            Ok(Planned::Rows {
                schema,
                columns: names,
                batches,
            }) => Ok(Answer::Rows {
                columns: columns(names, schema),
                rows: Arc::new(RowBatches(batches)),
            }),
            Ok(Planned::Update { update_type, session }) => Ok(Answer::Update {
                update_type: update_type.to_owned(),
                changes: session.into_iter().map(change).collect(),
            }),
            Err(error) => Err(error),
        };
        let is_running = matches!(answer, Ok(Answer::Query { .. }));
        Submission {
            answer,
            bill: (!is_running).then(|| self.bill(&requests)),
        }
    }
}

fn session(request: &Request) -> Session {
    let defaults = Session::default();
    Session {
        catalog: request.catalog.clone().unwrap_or(defaults.catalog),
        schema: request.schema.clone(),
        user: request.user.clone(),
        properties: request.session.clone(),
        now: request.accepted_at,
    }
}

fn columns(names: Vec<String>, schema: SchemaRef) -> Columns {
    Columns { names, schema }
}

fn change(change: mayfly_plan::SessionChange) -> SessionChange {
    use mayfly_plan::SessionChange as Planned;
    match change {
        Planned::SetCatalog(name) => SessionChange::SetCatalog(name),
        Planned::SetSchema(name) => SessionChange::SetSchema(name),
        Planned::SetProperty { key, value } => SessionChange::SetProperty { key, value },
        Planned::ResetProperty { key } => SessionChange::ResetProperty { key },
    }
}

/// A query that the driver runs, as the server sees it.
struct Run {
    handle: QueryHandle,
    schema: SchemaRef,
    store: Store,
}

#[async_trait]
impl RunningQuery for Run {
    fn status(&self) -> Status {
        status(self.handle.status())
    }

    async fn ended(&self, timeout: Duration) -> Status {
        status(self.handle.ended(timeout).await)
    }

    fn cancel(&self) {
        self.handle.cancel();
    }

    fn release(&self) {
        self.handle.release();
    }

    fn rows(&self) -> Option<Arc<dyn Pages>> {
        let result = self.handle.status().result?;
        // Reading rows is the client's pace and comes after the bill: it must not change what the bill said.
        let outputs = result.outputs.as_ref().clone();
        let reader = ResultReader::new(self.store.fork(), result.bucket, outputs, self.schema.clone());
        Some(Arc::new(Rows(reader)))
    }
}

struct Rows(ResultReader);

#[async_trait]
impl Pages for Rows {
    async fn next_batch(&self, position: &mut Position) -> Result<Option<RecordBatch>, QueryError> {
        let mut at = position.get()?;
        let lost = |error| QueryError::new(ErrorCode::S3Error, format!("cannot read the result: {}", chain(&error)));
        let batch = self.0.next_batch(&mut at).await.map_err(lost)?;
        position.set(&at)?;
        Ok(batch)
    }
}

fn status(status: QueryStatus) -> Status {
    Status {
        state: state(&status),
        stages: status.progress.stages.into_iter().map(stage).collect(),
        coordinator: status.coordinator,
        bill: status.bill,
        error: status.error,
    }
}

/// Queued until the first attempt is launched.
fn state(status: &QueryStatus) -> State {
    let has_started = status.progress.stages.iter().any(|stage| stage.attempts > 0);
    match status.state {
        QueryState::Running if has_started => State::Running,
        QueryState::Running => State::Queued,
        QueryState::Finished => State::Finished,
        QueryState::Failed => State::Failed,
        QueryState::Canceled => State::Canceled,
    }
}

fn stage(stage: mayfly_schedule::StageProgress) -> StageProgress {
    StageProgress {
        stage: stage.stage,
        tasks: stage.tasks(),
        tasks_queued: stage.planned + stage.queued,
        tasks_running: stage.running,
        tasks_done: stage.done,
        attempts_failed: stage.failed_attempts,
        rows_in: stage.statistics.rows_scanned + stage.statistics.rows_read,
        bytes_in: stage.statistics.bytes_scanned,
        rows_out: stage.rows_out,
        bytes_out: stage.bytes_out,
        spilled_bytes: stage.statistics.spilled_bytes,
        meter: stage.meter,
    }
}
