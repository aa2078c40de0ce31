//! Queries that began elsewhere: taken over, or over already.

use super::cleanup::tell_to_stop;
use super::{Actor, Kept};
use crate::clock::{counted, now};
use crate::handle::{QueryHandle, QueryStatus};
use crate::journal::{Journal, JournalError};
use crate::live::Live;
use mayfly_protocol::journal::{Accepted, Entry, Outcome};
use mayfly_protocol::{Meter, QueryId, TaskReport};
use mayfly_schedule::Event;
use mayfly_schedule::journal::{Role, Standing, State};
use mayfly_store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a cancel is tried to be written into another's journal.
const CANCEL_MAX: Duration = Duration::from_secs(20);

/// A query that is ours from now on; the claim is durable.
pub struct Resumption {
    pub query: QueryId,
    /// As it was before the claim.
    pub standing: Standing,
    pub found: Vec<TaskReport>,
    pub journal: Journal,
    /// Of those who watch it already.
    pub status: Option<watch::Sender<QueryStatus>>,
    pub requests: Store,
}

/// A query that has ended elsewhere, and is asked for here.
pub struct Past {
    pub query: QueryId,
    pub accepted: Box<Accepted>,
    pub outcome: Box<Outcome>,
    /// What it used in all.
    pub meter: Box<Meter>,
    pub status: watch::Sender<QueryStatus>,
    pub requests: Store,
}

impl Actor {
    pub(super) fn resume(&mut self, resumption: Resumption) {
        let Resumption {
            query,
            standing,
            found,
            journal,
            status,
            requests,
        } = resumption;
        let Some(kept) = standing.accepted.as_deref().map(Kept::of) else {
            return;
        };
        // One that was ours before another had it: its watchers stay.
        let before = self.live.remove(&query).map(|live| live.status);
        let status = status
            .or(before)
            .unwrap_or_else(|| watch::Sender::new(Live::accepted()));
        let deadline = counted(kept.request.deadline);
        let mut live = Live::new(status, journal, requests, Arc::new(kept), deadline);
        live.epoch = standing.epoch + 1;
        live.before = standing.spent;
        // Of attempts that others launched nothing is known but what they have published.
        live.lost = true;
        found
            .iter()
            .for_each(|report| live.book_output(report.attempt.task.stage, &report.output));
        self.live.insert(query.clone(), live);
        self.owned.begin(&query);
        self.start_beats(query.clone());
        let mut resumed = standing.resumed(query, found);
        if let Some(Event::Resumed { deadline: named, .. }) = &mut resumed {
            *named = deadline;
        }
        if let Some(event) = resumed {
            self.scheduler.handle(now(), event);
        }
    }

    pub(super) fn past(&mut self, past: Past) {
        let kept = Arc::new(Kept::of(&past.accepted));
        let mut live = Live::past(past.status, past.requests, kept);
        if let Outcome::Finished { root, outputs } = &*past.outcome {
            outputs.iter().for_each(|output| live.book_output(*root, output));
        }
        live.lost = true;
        live.before = *past.meter;
        live.end(*past.outcome, &self.settings.bucket);
        self.live.entry(past.query).or_insert(live);
    }

    /// The query, if it runs or ran here.
    pub(super) fn find(&self, query: &QueryId) -> Option<(Arc<Kept>, QueryHandle)> {
        let live = self.live.get(query)?;
        let handle = QueryHandle::new(query.clone(), live.status.subscribe(), self.orders.clone());
        Some((live.accepted.clone(), handle))
    }

    pub(super) fn cancel(&mut self, query: QueryId) {
        match self.live.get(&query) {
            Some(_) => self.scheduler.handle(now(), Event::Canceled { query }),
            None => self.cancel_elsewhere(query),
        }
    }

    /// A query that another coordinator runs: it reads the word in its journal when it next writes, and its attempts look for it in S3.
    fn cancel_elsewhere(&self, query: QueryId) {
        let recovery = self.recovery.clone();
        tokio::spawn(async move {
            let canceled: Result<(), JournalError> = async {
                let standing = recovery.read(&query).await?;
                if matches!(recovery.state(&standing), State::Unknown | State::Ended) {
                    return Ok(());
                }
                let (store, settings) = (recovery.world.store.clone(), &recovery.settings);
                let mut journal = Journal::new(store.clone(), settings, query.clone(), Role::Guest, standing.next);
                journal.append(vec![Entry::Cancel], None, CANCEL_MAX).await?;
                tell_to_stop(&store, settings, &query).await;
                Ok(())
            }
            .await;
            if let Err(error) = canceled {
                tracing::warn!(%query, %error, "cannot cancel a query that another coordinator runs");
            }
        });
    }
}
