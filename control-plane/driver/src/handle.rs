//! What the outside sees of a query: its state, its progress, its bill, and the handle that cancels it.

use crate::actor::Order;
use mayfly_protocol::{EpochMs, ErrorCode, FunctionSize, Meter, Output, QueryError, QueryId, StageId};
use mayfly_schedule::Progress;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryState {
    Running,
    Finished,
    Failed,
    Canceled,
}

/// Where the rows are: outputs of the root stage's tasks, in order. Inline ones carry their bytes.
#[derive(Clone, Debug)]
pub struct ResultSet {
    pub bucket: String,
    pub outputs: Arc<Vec<Output>>,
}

/// What a coordinator has told the journal of a query.
#[derive(Clone, Copy, Debug, Default)]
pub struct Journaled {
    pub records: u32,
    /// Sum over the records, from asking to knowing. Those of the start and of the end hold the query up, the others do not.
    pub took: Duration,
}

/// An invocation that has not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    pub stage: StageId,
    pub size: FunctionSize,
    pub since: EpochMs,
}

impl Flight {
    /// What it would be billed if it ended now.
    pub fn meter(&self, now: EpochMs) -> Meter {
        let billed_ms = u64::try_from(now.since(self.since).as_millis()).unwrap_or(u64::MAX);
        Meter {
            invocations: 1,
            billed_ms,
            billed_mb_ms: billed_ms.saturating_mul(u64::from(self.size.memory_mb())),
            ..Meter::default()
        }
    }
}

/// A query at one moment.
#[derive(Clone, Debug)]
pub struct QueryStatus {
    pub state: QueryState,
    pub progress: Progress,
    /// What all attempts spent so far, by stage; late ones still add to it after the end.
    pub usage: BTreeMap<StageId, Meter>,
    /// What the coordinator itself spent so far on the query's behalf, up to the last change of this status.
    pub coordinator: Meter,
    /// What it had used when this coordinator got to know it, as far as the journal says.
    pub before: Meter,
    /// Invocations that have not answered yet: what they are billed is not known before.
    pub flights: Vec<Flight>,
    /// Objects that nobody named will be looked for, which costs listings, or are being looked for.
    pub sweep_due: bool,
    pub journal: Journaled,
    pub error: Option<QueryError>,
    pub result: Option<ResultSet>,
}

impl QueryStatus {
    pub fn is_final(&self) -> bool {
        self.state != QueryState::Running
    }
}

/// One running or ended query. Clones watch the same one.
#[derive(Clone)]
pub struct QueryHandle {
    query: QueryId,
    status: watch::Receiver<QueryStatus>,
    orders: mpsc::UnboundedSender<Order>,
}

impl QueryHandle {
    pub(crate) fn new(
        query: QueryId,
        status: watch::Receiver<QueryStatus>,
        orders: mpsc::UnboundedSender<Order>,
    ) -> QueryHandle {
        QueryHandle { query, status, orders }
    }

    pub fn query(&self) -> &QueryId {
        &self.query
    }

    /// Failed if nobody is left here who would tell its end: clients must not wait for that.
    pub fn status(&self) -> QueryStatus {
        // Before the last status is read, so that none can come after.
        let nobody_tells = self.status.has_changed().is_err();
        let mut status = self.status.borrow().clone();
        if nobody_tells && !status.is_final() {
            status.state = QueryState::Failed;
            status.error = Some(out_of_sight());
        }
        status
    }

    /// Waits until the query has ended or `timeout` has passed, whichever is first.
    pub async fn ended(&self, timeout: Duration) -> QueryStatus {
        let mut status = self.status.clone();
        // Time is up, or nobody tells any more: both show in the status.
        let _ = tokio::time::timeout(timeout, status.wait_for(QueryStatus::is_final)).await;
        self.status()
    }

    /// Stops the query. Without effect once it has ended.
    pub fn cancel(&self) {
        let _ = self.orders.send(Order::Cancel(self.query.clone()));
    }

    /// The client has read what it wanted: result objects may go.
    pub fn release(&self) {
        let _ = self.orders.send(Order::Release(self.query.clone()));
    }
}

fn out_of_sight() -> QueryError {
    let text = "the server has lost sight of the query, by a fault of its own";
    QueryError::new(ErrorCode::GenericInternalError, text)
        .hint("its log says why; ask another server for the query, which may go on there, or submit it again")
}

#[cfg(test)]
mod tests;
