//! A query that another coordinator accepted: followed while that one lives, taken over when it has been silent for a lease. Reads the
//! journal and what executors have published; from there on the actor has it.

use crate::actor::{Order, Past, Resumption};
use crate::clock::wall;
use crate::handle::QueryStatus;
use crate::journal::{self, Journal, JournalError};
use crate::{DriverSettings, World};
use futures::{StreamExt, TryStreamExt, stream};
use mayfly_exchange::{ExchangeError, read_footer};
use mayfly_protocol::{Meter, Output, QueryId, TaskReport, TaskStatistics, key};
use mayfly_schedule::journal::{Role, Standing, State};
use mayfly_store::{Listed, Store, StoreError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Footers that are read at once.
const FOOTERS_AT_ONCE_MAX: usize = 32;
/// Between two looks into the journal of a query that another coordinator owns.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
/// How long a claim is tried.
const CLAIM_MAX: Duration = Duration::from_secs(20);

/// What recovering takes. Cheap to clone.
#[derive(Clone)]
pub struct Recovery {
    pub world: World,
    pub settings: DriverSettings,
    pub orders: mpsc::UnboundedSender<Order>,
}

impl Recovery {
    /// The query's journal, from the beginning.
    pub async fn read(&self, query: &QueryId) -> Result<Standing, JournalError> {
        let mut standing = Standing::default();
        journal::read_on(&self.world.store, &self.settings, query, &mut standing).await?;
        Ok(standing)
    }

    pub fn state(&self, standing: &Standing) -> State {
        standing.state(wall(), self.settings.lease)
    }

    /// Tells `status` how the query goes on, whoever runs it, until it has ended or is run here.
    pub async fn follow(
        self,
        query: QueryId,
        mut standing: Standing,
        status: watch::Sender<QueryStatus>,
        requests: Store,
    ) {
        let mut status = Some(status);
        loop {
            match self.state(&standing) {
                State::Unknown => return,
                State::Ended => return self.past(query, standing, status.take(), requests),
                State::Owned { .. } => {}
                State::Orphan => match self.adopt(&query, standing.clone(), &mut status, &requests).await {
                    Ok(()) => return,
                    Err(error) => tracing::info!(%query, %error, "not adopted"),
                },
            }
            tokio::time::sleep(LOOK_PAUSE).await;
            let (store, settings) = (&self.world.store, &self.settings);
            if let Err(error) = journal::read_on(store, settings, &query, &mut standing).await {
                tracing::warn!(%query, %error, "cannot read the journal; looking again");
            }
        }
    }

    fn past(&self, query: QueryId, standing: Standing, status: Option<watch::Sender<QueryStatus>>, requests: Store) {
        let (Some(accepted), Some((outcome, meter)), Some(status)) = (standing.accepted, standing.end, status) else {
            return;
        };
        let past = Past {
            query,
            accepted,
            outcome,
            meter,
            status,
            requests,
        };
        let _ = self.orders.send(Order::Past(Box::new(past)));
    }

    /// Takes the next epoch and hands the query to the actor. `status` is taken when that has succeeded.
    pub async fn adopt(
        &self,
        query: &QueryId,
        mut standing: Standing,
        status: &mut Option<watch::Sender<QueryStatus>>,
        requests: &Store,
    ) -> Result<(), JournalError> {
        let mut journal = Journal::new(
            requests.clone(),
            &self.settings,
            query.clone(),
            Role::Owner,
            standing.next,
        );
        let claim = standing.claim(&self.settings.coordinator);
        let heard = journal.append(claim, None, CLAIM_MAX).await?;
        heard.into_iter().for_each(|cancel| standing.read(cancel));
        let found = self.published(query, requests).await?;
        tracing::warn!(%query, epoch = standing.epoch + 1, found = found.len(), "adopted: its coordinator was silent for a lease");
        let resumption = Resumption {
            query: query.clone(),
            standing,
            found,
            journal,
            status: status.take(),
            requests: requests.clone(),
        };
        let _ = self.orders.send(Order::Resume(Box::new(resumption)));
        Ok(())
    }

    /// The footers of all objects under the query's prefixes. One that is damaged or gone is nobody's: its task runs again.
    async fn published(&self, query: &QueryId, store: &Store) -> Result<Vec<TaskReport>, JournalError> {
        let (bucket, tenant) = (&self.settings.bucket, &self.settings.tenant);
        let prefixes = stream::iter(key::query_prefixes(tenant, query));
        let failed = |key: &str| {
            let key = key.to_owned();
            move |cause| JournalError::Store { key, cause }
        };
        let lists = prefixes.map(async |prefix| store.list(bucket, &prefix).await.map_err(failed(&prefix)));
        let lists: Vec<Vec<Listed>> = lists.buffered(key::SHARDS as usize).try_collect().await?;
        let objects = lists.into_iter().flatten();
        let objects = objects.filter(|object| object.key != key::cancel(tenant, query));
        let footers = stream::iter(objects).map(async |object| {
            let read = report(store, bucket, &object).await;
            read.map_err(failed(&object.key))
        });
        let reports: Vec<Option<TaskReport>> = footers.buffered(FOOTERS_AT_ONCE_MAX).try_collect().await?;
        Ok(reports.into_iter().flatten().collect())
    }
}

/// The object's footer, as the report that it was. What the attempt was billed is not in it.
async fn report(store: &Store, bucket: &str, object: &Listed) -> Result<Option<TaskReport>, StoreError> {
    let footer = match read_footer(store, bucket, &object.key, object.size_bytes).await {
        Ok(footer) => footer,
        Err(ExchangeError::Store(cause)) if cause.is_transient() => return Err(cause),
        Err(error) => {
            tracing::warn!(key = object.key, %error, "an object that describes no output is passed over");
            return Ok(None);
        }
    };
    let location = footer.location(object.key.clone(), object.etag.clone(), object.size_bytes);
    Ok(footer.pin_digest.map(|pin_digest| TaskReport {
        attempt: footer.attempt,
        nonce: footer.nonce,
        output: Output {
            location,
            partitions: footer.partitions,
        },
        pin_digest,
        meter: Meter::default(),
        statistics: TaskStatistics::default(),
    }))
}
