//! What a query leaves in S3 and in memory, and when it goes.

use super::Actor;
use mayfly_protocol::{AttemptId, Output, OutputLocation, QueryId};
use mayfly_store::Store;

impl Actor {
    /// A losing or late attempt's object: nobody will read it.
    pub(super) fn drop_output(&mut self, attempt: &AttemptId, output: Option<Output>) {
        if let Some(OutputLocation::Object { key, .. }) = output.map(|output| output.location) {
            self.delete(&attempt.query, vec![key]);
        }
    }

    pub(super) fn delete(&self, query: &QueryId, keys: Vec<String>) {
        if keys.is_empty() {
            return;
        }
        let (store, bucket, query) = (self.world.store.clone(), self.settings.bucket.clone(), query.clone());
        tokio::spawn(async move {
            if let Err(error) = store.delete(&bucket, &keys).await {
                tracing::warn!(%query, %error, "cannot delete shuffle objects; the bucket's lifecycle will");
            }
        });
    }

    /// Drops the book on a query that has ended, was read, and has no invocation out any more. If an attempt ended unseen, what it may
    /// have published is looked for first.
    pub(super) fn forget(&mut self, query: &QueryId) {
        let Some(live) = self.live.get(query) else { return };
        if !live.released || live.in_flight > 0 || !live.status.borrow().is_final() {
            return;
        }
        let (lost, requests) = (live.lost, live.requests.clone());
        self.live.remove(query);
        if lost {
            self.sweep(query.clone(), requests);
        }
    }

    /// Its listings are on the query's bill: they can cost more than the query did.
    fn sweep(&self, query: QueryId, store: Store) {
        let settings = self.settings.clone();
        tokio::spawn(async move {
            for prefix in mayfly_protocol::key::query_prefixes(&settings.tenant, &query) {
                if let Err(error) = store.delete_prefix(&settings.bucket, &prefix).await {
                    tracing::warn!(%query, %error, "cannot sweep; the bucket's lifecycle will");
                }
            }
        });
    }
}
