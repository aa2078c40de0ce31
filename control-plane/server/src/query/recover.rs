//! A poll for a query that this server does not know: another one accepted it, and may be gone. It is registered here, and its next page
//! is made here, from where its client stands.

use super::cursor::Cursor;
use super::id::is_ours;
use super::memo::Memo;
use super::reader::Reader;
use super::registry::Registry;
use super::slug::is_slug;
use super::start::ready;
use super::{Life, Planned, Query, Slug};
use crate::callers::Caller;
use crate::clock;
use crate::engine::{Engine, Recovered};
use mayfly_protocol::{QueryError, QueryId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, watch};

/// A lookup that found nothing holds up its caller's next one for so long: guesses cost requests that nobody pays for.
const MISS_PAUSE: Duration = Duration::from_millis(500);

/// Lookups under way, one of each caller.
#[derive(Default)]
pub struct Lookups {
    turns: Mutex<HashMap<Caller, Arc<tokio::sync::Mutex<()>>>>,
}

impl Lookups {
    /// Waits until the caller has no other.
    async fn turn(&self, caller: Caller) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Whom nobody waits for is forgotten.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(caller).or_default().clone()
        };
        turn.lock_owned().await
    }
}

/// Where a client stands in a query, as its URI says.
#[derive(Clone, Copy)]
pub struct Stand<'a> {
    pub slug: &'a str,
    pub token: u64,
    /// A [`Cursor`] as text: the place in the result where the next page begins; none before its first row.
    pub at: Option<&'a str>,
}

impl Registry {
    /// The query, here or recovered; none if nobody accepted it or the secret is not its own.
    pub async fn find(
        &self,
        engine: &Arc<dyn Engine>,
        id: &QueryId,
        stand: Stand<'_>,
        caller: Caller,
    ) -> Result<Option<Arc<Query>>, QueryError> {
        let query = match self.get(id) {
            Some(query) => Some(query),
            // What cannot be a query of ours is looked for nowhere.
            None if !is_ours(id) || !is_slug(stand.slug) => None,
            None => self.recover(engine, id, stand, caller).await?,
        };
        Ok(query.filter(|query| query.slug.matches(stand.slug)))
    }

    async fn recover(
        &self,
        engine: &Arc<dyn Engine>,
        id: &QueryId,
        stand: Stand<'_>,
        caller: Caller,
    ) -> Result<Option<Arc<Query>>, QueryError> {
        let _own = self.lookups.turn(caller).await;
        let turn = self.recoveries.acquire().await;
        // Whoever had the turn before may have brought it.
        if let Some(query) = self.get(id) {
            return Ok(Some(query));
        }
        let recovered = engine.recover(id).await?;
        if let Some(query) = recovered.and_then(|recovered| Query::recovered(id.clone(), recovered, stand)) {
            return Ok(Some(self.insert(Arc::new(query))));
        }
        drop(turn);
        tokio::time::sleep(MISS_PAUSE).await;
        Ok(None)
    }
}

impl Query {
    fn recovered(id: QueryId, recovered: Recovered, stand: Stand<'_>) -> Option<Query> {
        let memo = Memo::read(&recovered.memo)?;
        if !Slug::known(memo.slug.clone()).matches(stand.slug) {
            return None;
        }
        let cursor = match stand.at {
            Some(text) => Cursor::from_text(text)?,
            None => Cursor::default(),
        };
        let precision = memo.client.precision;
        let accepted_at = clock::counted(recovered.accepted_at);
        let planned = Planned {
            since: accepted_at,
            at: clock::now(),
            outcome: recovered.answer.and_then(|answer| ready(precision, answer)),
            bill: None,
        };
        let query = Query::new(id, memo.sql, memo.client, accepted_at).ok()?;
        tracing::info!(query = %query.id, "recovered");
        Some(Query {
            slug: Slug::known(memo.slug),
            life: watch::Sender::new(Life::Planned(Arc::new(planned))),
            reader: tokio::sync::Mutex::new(Reader::resumed(stand.token, cursor)),
            ..query
        })
    }
}
