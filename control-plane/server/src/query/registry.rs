//! All queries that this server knows, and when it forgets them.

mod room;

use super::id::QueryIds;
use super::recover::Lookups;
use super::{Life, Planned, Query, Ready};
use crate::client::Client;
use crate::clock;
use crate::engine::RowBatches;
use crate::settings::ServerSettings;
use mayfly_protocol::{ErrorCode, QueryError, QueryId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub struct Registry {
    settings: Arc<ServerSettings>,
    ids: QueryIds,
    queries: Mutex<BTreeMap<QueryId, Entry>>,
    /// Each recovery reads a journal: few at a time, whatever strangers ask for.
    pub(super) recoveries: Semaphore,
    pub(super) lookups: Lookups,
}

/// Recoveries under way at a time.
const RECOVERIES_MAX: usize = 8;

struct Entry {
    query: Arc<Query>,
    /// When the sweep first saw that it had ended.
    ended: Option<Instant>,
    released: bool,
}

impl Registry {
    pub fn new(settings: Arc<ServerSettings>) -> Registry {
        Registry {
            settings,
            ids: QueryIds::new(),
            queries: Mutex::default(),
            recoveries: Semaphore::new(RECOVERIES_MAX),
            lookups: Lookups::default(),
        }
    }

    /// An id without a query, for what is refused before it becomes one.
    pub fn issue(&self) -> QueryId {
        self.ids.issue(clock::wall())
    }

    pub fn register(&self, id: QueryId, sql: String, client: Client) -> Result<Arc<Query>, QueryError> {
        let query = Arc::new(Query::new(id.clone(), sql, client, clock::now())?);
        let mut queries = self.lock();
        if alive(&queries) >= self.settings.queries_max {
            // Some may have ended since the last sweep.
            let now = Instant::now();
            queries
                .values_mut()
                .for_each(|entry| entry.observe(now, &self.settings));
        }
        room::of_registrations(&mut queries, &query, &self.settings);
        room::of_rows(&mut queries, &self.settings);
        let alive = alive(&queries);
        if alive >= self.settings.queries_max {
            let message = format!("{alive} queries are running; try again when some have ended");
            return Err(QueryError::new(ErrorCode::QueryQueueFull, message));
        }
        queries.insert(id, Entry::new(query.clone()));
        Ok(query)
    }

    /// The query that stands under its id: this one, unless another was first.
    pub(super) fn insert(&self, query: Arc<Query>) -> Arc<Query> {
        let mut queries = self.lock();
        let entry = queries.entry(query.id.clone()).or_insert_with(|| Entry::new(query));
        entry.query.clone()
    }

    pub fn get(&self, id: &QueryId) -> Option<Arc<Query>> {
        self.lock().get(id).map(|entry| entry.query.clone())
    }

    /// Oldest first.
    pub fn list(&self) -> Vec<Arc<Query>> {
        self.lock().values().map(|entry| entry.query.clone()).collect()
    }

    /// Ends what nobody watches and forgets what is old. To be called every now and then.
    pub fn sweep(&self) {
        let now = Instant::now();
        let mut queries = self.lock();
        for entry in queries.values_mut() {
            entry.observe(now, &self.settings);
        }
        queries.retain(|_, entry| !entry.is_forgotten(now, &self.settings));
        room::of_rows(&mut queries, &self.settings);
        let ended = queries.iter().filter(|(_, entry)| entry.ended.is_some());
        let ended: Vec<QueryId> = ended.map(|(id, _)| id.clone()).collect();
        let surplus = ended.len().saturating_sub(self.settings.ended_max);
        for id in &ended[..surplus] {
            if queries.get(id).is_some_and(|entry| entry.query.release()) {
                queries.remove(id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<QueryId, Entry>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Queries = BTreeMap<QueryId, Entry>;

fn alive(queries: &Queries) -> usize {
    queries.values().filter(|entry| entry.ended.is_none()).count()
}

impl Entry {
    fn new(query: Arc<Query>) -> Entry {
        Entry {
            query,
            ended: None,
            released: false,
        }
    }

    fn observe(&mut self, now: Instant, settings: &ServerSettings) {
        let is_final = self.query.view().phase.is_final();
        if !is_final && self.query.is_started() && self.query.activity.idle() > settings.client_timeout {
            self.query.stop(abandoned(settings.client_timeout));
        }
        if is_final && self.ended.is_none() {
            self.ended = Some(now);
        }
        if !self.released && self.age(now) > Some(settings.rows_age_max) {
            self.released = self.query.release();
        }
    }

    /// Whether it may hold rows that nobody needs any more.
    fn holds_rows(&self) -> bool {
        !self.released && (self.ended.is_some() || self.query.view().phase.is_final())
    }

    fn age(&self, now: Instant) -> Option<Duration> {
        self.ended.map(|ended| now.duration_since(ended))
    }

    fn is_forgotten(&self, now: Instant, settings: &ServerSettings) -> bool {
        let expired = !self.query.is_started() && self.query.activity.idle() > settings.client_timeout;
        expired || (self.released && self.age(now) > Some(settings.ended_age_max))
    }
}

impl Query {
    fn is_started(&self) -> bool {
        !matches!(*self.life.borrow(), Life::Registered)
    }

    /// Bytes of rows that are held to be shown; none known while a poll reads them.
    fn held_bytes(&self) -> usize {
        let read = self.reader.try_lock().map_or(0, |reader| reader.held_bytes());
        let known = self.planned().map_or(0, |planned| planned.held_bytes());
        read + known
    }

    /// Lets go of rows. False while a poll is reading them: try again later.
    fn release(&self) -> bool {
        let Ok(mut reader) = self.reader.try_lock() else {
            return false;
        };
        reader.forget_rows();
        if let Some(query) = self.running() {
            query.release();
        }
        self.life.send_if_modified(Life::forget_rows);
        true
    }
}

impl Life {
    /// Lets go of rows that the control plane made itself.
    fn forget_rows(&mut self) -> bool {
        let Life::Planned(planned) = self else { return false };
        let Ok(Ready::Rows { shown, .. }) = &planned.outcome else {
            return false;
        };
        *self = Life::Planned(Arc::new(Planned {
            outcome: Ok(Ready::Rows {
                shown: shown.clone(),
                rows: Arc::new(RowBatches(Vec::new())),
            }),
            bill: planned.bill.clone(),
            ..**planned
        }));
        // Nobody waits for this.
        false
    }
}

impl Planned {
    fn held_bytes(&self) -> usize {
        match &self.outcome {
            Ok(Ready::Rows { rows, .. }) => rows.held_bytes(),
            _ => 0,
        }
    }
}

fn abandoned(timeout: Duration) -> QueryError {
    let seconds = timeout.as_secs();
    QueryError::new(
        ErrorCode::AbandonedQuery,
        format!("query was abandoned: no poll came for {seconds} seconds"),
    )
}
