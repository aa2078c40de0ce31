//! Records of a query, one append at a time: what the scheduler wants to be known, signs of life, the end. The append itself runs as a
//! task and has the journal meanwhile.

use super::{Actor, Order, journal_error};
use crate::clock::now;
use crate::handle::QueryStatus;
use crate::journal::{Journal, JournalError};
use crate::live::Live;
use mayfly_protocol::QueryId;
use mayfly_protocol::journal::{Entry, Outcome, Record};
use mayfly_schedule::{Event, Progress};
use std::time::Duration;

/// How long after a query's deadline its records are still tried.
const GRACE: Duration = Duration::from_secs(10);

/// An append that has come to an end.
pub struct Appended {
    pub query: QueryId,
    pub journal: Journal,
    pub kind: Kind,
    pub result: Result<Vec<Record>, JournalError>,
}

/// What a record was written for.
#[derive(Debug)]
pub enum Kind {
    /// What the scheduler gave.
    Entries,
    Beat,
    End(Box<Outcome>),
}

impl Actor {
    /// Notes that the scheduler has something to be known.
    pub(super) fn journal(&mut self, query: QueryId) {
        if let Some(live) = self.live.get_mut(&query) {
            live.has_entries = true;
        }
        self.write_next(&query);
    }

    /// Notes the end; it is durable before anything of it is told.
    pub(super) fn finish(&mut self, query: QueryId, outcome: Outcome, progress: Progress) {
        if let Some(live) = self.live.get_mut(&query) {
            live.publish(Some(progress));
            live.ending = Some(Box::new(outcome));
        }
        self.write_next(&query);
    }

    /// Another record is as good a sign of life.
    pub(super) fn beat(&mut self, query: &QueryId) {
        let Some(live) = self.live.get_mut(query) else { return };
        if live.ending.is_none()
            && let Some(journal) = live.journal.take()
        {
            let entries = vec![Entry::Beat { epoch: live.epoch }];
            self.append(query.clone(), journal, entries, Kind::Beat);
        }
    }

    /// Writes a beat every half lease while the query runs, so that no other coordinator takes it for an orphan.
    pub(super) fn start_beats(&self, query: QueryId) {
        let Some(live) = self.live.get(&query) else { return };
        let (orders, mut status, pause) = (self.orders.clone(), live.status.subscribe(), self.settings.lease / 2);
        tokio::spawn(async move {
            // A sender that is gone ends it too.
            while tokio::time::timeout(pause, status.wait_for(QueryStatus::is_final))
                .await
                .is_err()
            {
                let _ = orders.send(Order::Beat(query.clone()));
            }
        });
    }

    fn write_next(&mut self, query: &QueryId) {
        let Some(live) = self.live.get_mut(query) else { return };
        if live.ending.is_none() && !live.has_entries {
            return;
        }
        let Some(journal) = live.journal.take() else { return };
        let mut entries = self.scheduler.take_entries(query);
        live.has_entries = false;
        let kind = match live.ending.take() {
            Some(outcome) => {
                entries.push(Entry::Final {
                    outcome: outcome.clone(),
                    meter: Box::new(live.total()),
                });
                Kind::End(outcome)
            }
            None => Kind::Entries,
        };
        if entries.is_empty() {
            live.journal = Some(journal);
            return self.scheduler.handle(now(), Event::Journaled { query: query.clone() });
        }
        self.append(query.clone(), journal, entries, kind);
    }

    fn append(&self, query: QueryId, mut journal: Box<Journal>, entries: Vec<Entry>, kind: Kind) {
        let orders = self.orders.clone();
        let live = self.live.get(&query);
        let spent = live.map(Live::total);
        let deadline = live.map_or_else(now, |live| live.deadline);
        let within = deadline.since(now()) + GRACE;
        tokio::spawn(async move {
            let result = journal.append(entries, spent, within).await;
            let appended = Appended {
                query,
                journal: *journal,
                kind,
                result,
            };
            let _ = orders.send(Order::Appended(Box::new(appended)));
        });
    }

    pub(super) fn appended(&mut self, appended: Appended) {
        let Appended {
            query,
            journal,
            kind,
            result,
        } = appended;
        match result {
            Ok(heard) => {
                if let Some(live) = self.live.get_mut(&query) {
                    live.journaled = journal.written;
                    live.journal = Some(Box::new(journal));
                    // Whoever canceled it elsewhere has put the word to stop into S3, too.
                    live.lost |= !heard.is_empty();
                }
                self.durable(&query, kind);
                if !heard.is_empty() {
                    self.cancel(query.clone());
                }
                self.write_next(&query);
            }
            Err(JournalError::Fenced { key }) => self.fenced(query, &key),
            Err(error) => self.unwritable(query, &error),
        }
    }

    fn durable(&mut self, query: &QueryId, kind: Kind) {
        let query = query.clone();
        match kind {
            Kind::Entries => self.scheduler.handle(now(), Event::Journaled { query }),
            Kind::Beat => {}
            Kind::End(outcome) => {
                self.scheduler.handle(now(), Event::Ended { query: query.clone() });
                self.ended(query, *outcome);
            }
        }
    }

    /// The journal cannot be told: nothing that it does not know may be shown, so the query has failed here. Once it can be told again another
    /// coordinator finds an orphan, and what is left in S3 is that one's.
    fn unwritable(&mut self, query: QueryId, error: &JournalError) {
        tracing::error!(%query, %error, "the journal cannot be written");
        self.scheduler.handle(now(), Event::Fenced { query: query.clone() });
        self.owned.end(&query);
        if let Some(live) = self.live.remove(&query) {
            let error = journal_error(error);
            live.end(Outcome::Failed { error }, &self.settings.bucket);
        }
    }

    /// The query is another's: whoever watches it here is told how it goes on there.
    fn fenced(&mut self, query: QueryId, key: &str) {
        tracing::warn!(%query, key, "fenced: another coordinator took the query over");
        self.scheduler.handle(now(), Event::Fenced { query: query.clone() });
        self.owned.end(&query);
        let Some(live) = self.live.remove(&query) else { return };
        let recovery = self.recovery.clone();
        tokio::spawn(async move {
            match recovery.read(&query).await {
                Ok(standing) => recovery.follow(query, standing, live.status, live.requests).await,
                Err(error) => tracing::error!(%query, %error, "cannot read the journal of a query that was taken over"),
            }
        });
    }
}
