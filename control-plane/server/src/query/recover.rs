//! A poll for a query that this server does not know: another one accepted it, and may be gone. It is registered here, and its next page
//! is made here, from where its client stands.

use super::cursor::Cursor;
use super::memo::Memo;
use super::reader::Reader;
use super::registry::Registry;
use super::start::ready;
use super::{Life, Planned, Query, Slug};
use crate::clock;
use crate::engine::{Engine, Recovered};
use mayfly_protocol::{QueryError, QueryId};
use std::sync::Arc;
use tokio::sync::watch;

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
    ) -> Result<Option<Arc<Query>>, QueryError> {
        let query = match self.get(id) {
            Some(query) => Some(query),
            None => self.recover(engine, id, stand).await?,
        };
        Ok(query.filter(|query| query.slug.matches(stand.slug)))
    }

    async fn recover(
        &self,
        engine: &Arc<dyn Engine>,
        id: &QueryId,
        stand: Stand<'_>,
    ) -> Result<Option<Arc<Query>>, QueryError> {
        let _turn = self.recoveries.acquire().await;
        // Whoever had the turn before may have brought it.
        if let Some(query) = self.get(id) {
            return Ok(Some(query));
        }
        let Some(recovered) = engine.recover(id).await? else {
            return Ok(None);
        };
        let query = Query::recovered(id.clone(), recovered, stand);
        Ok(query.map(|query| self.insert(Arc::new(query))))
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
        let planned = Planned {
            since: recovered.accepted_at,
            at: clock::now(),
            outcome: recovered.answer.and_then(|answer| ready(precision, answer)),
            bill: None,
        };
        let query = Query::new(id, memo.sql, memo.client, recovered.accepted_at).ok()?;
        tracing::info!(query = %query.id, "recovered");
        Some(Query {
            slug: Slug::known(memo.slug),
            life: watch::Sender::new(Life::Planned(Arc::new(planned))),
            reader: tokio::sync::Mutex::new(Reader::resumed(stand.token, cursor)),
            ..query
        })
    }
}
