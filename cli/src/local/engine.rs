//! The engine behind the server: planner and driver, plugged into the server's port. Translates and decides nothing.

use async_trait::async_trait;
use mayfly_cost::{Bill, PriceBook};
use mayfly_driver::{Driver, QueryHandle, QueryState, QueryStatus};
use mayfly_exchange::ResultReader;
use mayfly_plan::{Planned, PlannedQuery, Planner, Session};
use mayfly_protocol::journal::Request;
use mayfly_protocol::{ErrorCode, Meter, QueryError, QueryId};
use mayfly_server::engine::{
    Answer, Columns, Engine, Pages, Position, RowBatches, RunningQuery, SessionChange, StageProgress, State, Status, Submission,
};
use mayfly_store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
