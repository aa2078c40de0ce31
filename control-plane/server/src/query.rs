//! One query from its registration to its last page: what it is doing, who is watching, how it is stopped. The rows that a poll takes
//! along are in [`reader`], the document around them in [`crate::result`].

mod activity;
mod cursor;
mod fill;
mod id;
mod memo;
mod poll;
mod reader;
mod recover;
mod registry;
mod session;
mod slug;
mod start;
mod view;

pub use cursor::Cursor;
pub use poll::{PollError, Want};
pub use recover::Stand;
pub use registry::Registry;
pub use slug::Slug;
pub use view::{Phase, View};

use crate::client::Client;
use crate::clock;
use crate::engine::{Pages, RunningQuery};
use crate::result::Shown;
use crate::sql::Change;
use activity::Activity;
use mayfly_cost::Bill;
use mayfly_protocol::{EpochMs, QueryError, QueryId};
use memo::Memo;
use reader::Reader;
use session::SessionSettings;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub struct Query {
    pub id: QueryId,
    pub slug: Slug,
    pub sql: String,
    pub client: Client,
    pub created_at: EpochMs,
    settings: SessionSettings,
    life: watch::Sender<Life>,
    /// Why it was ended from outside, or broke while its rows were read.
    stopped: Mutex<Option<Stop>>,
    stop: CancellationToken,
    /// The last page was made: nothing can happen to the query any more.
    drained: AtomicBool,
    activity: Activity,
    /// Held while a page is made, so that two polls for one page get the same page.
    reader: tokio::sync::Mutex<Reader>,
}

/// How far a query has come on this side of the engine.
#[derive(Clone)]
enum Life {
    /// Known, but not started: a client that repeats a POST pays for nothing.
    Registered,
    Planning {
        since: EpochMs,
    },
    Planned(Arc<Planned>),
}

struct Planned {
    since: EpochMs,
    at: EpochMs,
    outcome: Result<Ready, QueryError>,
    bill: Option<Bill>,
}

/// What there is to show.
enum Ready {
    Query {
        shown: Shown,
        plan: String,
        query: Arc<dyn RunningQuery>,
    },
    Rows {
        shown: Shown,
        rows: Arc<dyn Pages>,
    },
    Update {
        update_type: String,
        changes: Vec<Change>,
    },
}

#[derive(Clone)]
struct Stop {
    error: QueryError,
    at: EpochMs,
}

impl Query {
    pub fn new(id: QueryId, sql: String, client: Client, created_at: EpochMs) -> Result<Query, QueryError> {
        Ok(Query {
            id,
            slug: Slug::random(),
            sql,
            settings: SessionSettings::read(&client.session)?,
            client,
            created_at,
            life: watch::Sender::new(Life::Registered),
            stopped: Mutex::new(None),
            stop: CancellationToken::new(),
            drained: AtomicBool::new(false),
            activity: Activity::new(),
            reader: tokio::sync::Mutex::new(Reader::default()),
        })
    }

    /// What another server needs to know to go on answering.
    fn memo(&self) -> Memo {
        Memo {
            slug: self.slug.to_string(),
            sql: self.sql.clone(),
            client: self.client.clone(),
        }
    }

    /// Ends the query from outside. Without effect once it has ended; the first reason stays.
    pub fn stop(&self, error: QueryError) {
        if self.view().phase.is_final() {
            return;
        }
        tracing::info!(query = %self.id, code = error.code.name(), "stopped");
        self.break_off(error);
        self.stop.cancel();
        if let Some(query) = self.running() {
            query.cancel();
        }
    }

    /// Whether the last page shall tell the price.
    pub fn cost_warning(&self) -> bool {
        self.settings.cost_warning
    }

    /// A poll or heartbeat came.
    pub fn touch(&self) {
        self.activity.touch();
    }

    /// The engine's side of it, when there is one.
    fn running(&self) -> Option<Arc<dyn RunningQuery>> {
        match self.planned()?.outcome.as_ref().ok()? {
            Ready::Query { query, .. } => Some(query.clone()),
            _ => None,
        }
    }

    fn planned(&self) -> Option<Arc<Planned>> {
        match &*self.life.borrow() {
            Life::Planned(planned) => Some(planned.clone()),
            _ => None,
        }
    }

    /// Ends the query because its rows turned out unreadable.
    fn break_off(&self, error: QueryError) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert_with(|| Stop {
            error,
            at: clock::now(),
        });
    }

    fn stopped(&self) -> Option<Stop> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_drained(&self) -> bool {
        self.drained.load(Ordering::Acquire)
    }

    fn drain(&self) {
        self.drained.store(true, Ordering::Release);
    }
}
