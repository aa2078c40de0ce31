//! What a query leaves in S3 and in memory, and when it goes.

use super::{Actor, Order};
use crate::DriverSettings;
use crate::handle::QueryStatus;
use mayfly_protocol::{AttemptId, Output, OutputLocation, QueryId, StageId, key, limits};
use mayfly_store::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How long rows wait for a client that has not asked here yet.
const UNWATCHED_MAX: Duration = Duration::from_secs(900);
/// The longest that an attempt whose query has ended may run on, should the word to stop not reach it, and a minute.
const ZOMBIES_MAX: Duration = Duration::from_millis(limits::TASK_DURATION_MS_MAX + 60_000);

impl Actor {
    /// A losing or late attempt's object: nobody will read it.
    pub(super) fn drop_output(&mut self, attempt: &AttemptId, output: Option<Output>) {
        if let Some(OutputLocation::Object { key, .. }) = output.map(|output| output.location) {
            self.delete(&attempt.query, vec![key.to_string()]);
        }
    }

    pub(super) fn delete(&self, query: &QueryId, keys: Vec<String>) {
        if keys.is_empty() {
            return;
        }
        let (store, bucket, query) = (self.world.store.clone(), self.settings.bucket.clone(), query.clone());
        tokio::spawn(async move {
            if let Err(error) = store.delete(&bucket, &keys).await {
                tracing::warn!(%query, %error, "cannot delete objects of a query that has ended; the bucket's lifecycle will");
            }
        });
    }

    pub(super) fn is_watched(&self, query: &QueryId) -> bool {
        let live = self.live.get(query);
        live.is_some_and(|live| live.status.receiver_count() > 0)
    }

    /// A query that was taken over may have lost its client with its coordinator; its rows wait a while for one.
    pub(super) fn release_if_unwatched(&self, query: &QueryId) {
        if self.live.get(query).is_none_or(|live| live.epoch == 1) {
            return;
        }
        let (orders, query) = (self.orders.clone(), query.clone());
        tokio::spawn(async move {
            tokio::time::sleep(UNWATCHED_MAX).await;
            let _ = orders.send(Order::ReleaseUnwatched(query));
        });
    }

    /// Attempts that nobody waits for any more look for this now and then, and stop.
    pub(super) fn tell_to_stop(&mut self, query: &QueryId) {
        let Some(live) = self.live.get_mut(query) else { return };
        // The word goes with what they may yet publish.
        live.lost = true;
        let (store, settings, query) = (live.requests.clone(), self.settings.clone(), query.clone());
        tokio::spawn(async move { tell_to_stop(&store, &settings, &query).await });
    }

    /// Drops the book on a query that has ended, was read, and has no invocation out any more. If an attempt ended unseen, what it may
    /// have published is looked for: at the end, and once more when its rows are not read any more.
    pub(super) fn forget(&mut self, query: &QueryId) {
        let Some(live) = self.live.get_mut(query) else { return };
        if !live.flights.is_empty() || !live.status.borrow().is_final() {
            return;
        }
        let (sweep, released, requests) = (live.due_sweep(), live.released, live.requests.clone());
        let swept = Swept {
            status: live.status.clone(),
            is_swept: live.is_swept.clone(),
        };
        if released {
            self.live.remove(query);
        }
        if let Some(spared) = sweep {
            self.sweep(query.clone(), spared, requests, swept);
        }
    }

    /// Twice: an attempt that nobody hears of may publish until its deadline. The listings are on the query's bill: they can cost more than
    /// the query did.
    fn sweep(&self, query: QueryId, spared: Option<StageId>, store: Store, swept: Swept) {
        let settings = self.settings.clone();
        tokio::spawn(async move {
            sweep_once(&settings, &query, spared, &store).await;
            if spared.is_none() {
                swept.tell();
            }
            tokio::time::sleep(ZOMBIES_MAX).await;
            sweep_once(&settings, &query, spared, &store).await;
        });
    }
}

/// Who is told that nothing is left to look for.
struct Swept {
    status: watch::Sender<QueryStatus>,
    is_swept: Arc<AtomicBool>,
}

impl Swept {
    /// Watchers hear nothing of the second sweep: it comes when an ended query is shown no more.
    fn tell(self) {
        self.is_swept.store(true, Ordering::Release);
        self.status.send_modify(|status| status.sweep_due = false);
    }
}

/// Puts the word where a query's attempts look for it.
pub(super) async fn tell_to_stop(store: &Store, settings: &DriverSettings, query: &QueryId) {
    let key = key::cancel(&settings.tenant, query);
    if let Err(error) = store.put(&settings.bucket, &key, bytes::Bytes::new()).await {
        tracing::warn!(%query, %error, "cannot tell attempts to stop; their deadlines will");
    }
}

async fn sweep_once(settings: &DriverSettings, query: &QueryId, spared: Option<StageId>, store: &Store) {
    for prefix in key::query_prefixes(&settings.tenant, query) {
        let spared = spared.map(|stage| key::stage_prefix(&prefix, stage));
        let is_spared = |key: &str| spared.as_ref().is_some_and(|spared| key.starts_with(spared));
        if let Err(error) = store.delete_prefix(&settings.bucket, &prefix, is_spared).await {
            tracing::warn!(%query, %error, "cannot sweep; the bucket's lifecycle will");
        }
    }
}
