//! Ownership of queries: accepted, claimed, resumed, kept by beats, and lost.

use super::{LEASE_MS, Step, World, text};
use crate::coordinator::{News, Owned, Phase, Purpose};
use crate::heap::Happening;
use crate::mishaps::{Mishap, draw_down_ms};
use mayfly_protocol::EpochMs;
use mayfly_protocol::journal::{Accepted, Entry, QueryLimits, Record, Request};
use mayfly_schedule::Event;
use mayfly_schedule::journal::{Standing, State};
use rand::Rng;
use std::collections::BTreeMap;
use std::time::Duration;

/// After the last deadline nothing is published any more; so much later the query's prefix is swept.
const ZOMBIES_MS: u64 = 60_000;

impl World<'_> {
    /// Writes the first record.
    pub(super) fn accept(&mut self, c: usize, query: usize) {
        let planned = &self.queries[query];
        let request = Request {
            sql: String::new(),
            user: String::new(),
            source: None,
            catalog: None,
            schema: None,
            session: BTreeMap::new(),
            time_zone: None,
            accepted_at: self.now,
            deadline: planned.deadline,
        };
        let accepted = Accepted {
            request,
            limits: QueryLimits::default(),
            graph: (*planned.modelled.graph).clone(),
            presentation: String::new(),
        };
        let entries = vec![Entry::Accepted(Box::new(accepted)), epoch(c, 1)];
        self.own(c, query, 1, Phase::Accepting, 0);
        self.append(c, query, Purpose::Accept, entries);
    }

    fn own(&mut self, c: usize, query: usize, epoch: u32, phase: Phase, next: u32) {
        let planned = &self.queries[query];
        let coordinator = &mut self.coordinators[c];
        let owned = Owned {
            id: planned.id.clone(),
            epoch,
            writer: coordinator.writer(self.now),
            phase,
            next,
            is_writing: false,
            written_at: EpochMs(0),
            journal_due: false,
            beat_due: false,
            end: None,
        };
        coordinator.owned.insert(query, owned);
    }

    /// The first record is durable: the query runs here.
    pub(super) fn start(&mut self, c: usize, query: usize) {
        let planned = &self.queries[query];
        let (id, graph, deadline) = (planned.id.clone(), planned.modelled.graph.clone(), planned.deadline);
        self.trace
            .note(self.now, format_args!("c{c} start {}", planned.shape()));
        let local = self.local(c);
        let auditor = &mut self.coordinators[c].auditor;
        auditor.submitted(local, id.clone(), 1, graph.clone(), deadline);
        let event = Event::Submitted {
            query: id,
            epoch: 1,
            graph: (*graph).clone(),
            deadline,
            limits: QueryLimits::default(),
        };
        self.send_message(query, LEASE_MS);
        self.run_on(c, query);
        self.handle(c, event);
    }

    fn run_on(&mut self, c: usize, query: usize) {
        let to = self.coordinators[c].address();
        let Some(owned) = self.coordinators[c].owned.get_mut(&query) else {
            return;
        };
        owned.phase = Phase::Running;
        let epoch = owned.epoch;
        self.send(to, LEASE_MS / 2, News::Beat { query, epoch });
    }

    /// A lease message arrives: whoever receives it looks into the journal.
    pub(super) fn message(&mut self, query: usize) -> Step {
        let later = self.now + Duration::from_millis(LEASE_MS);
        let Some(c) = self.somebody() else {
            self.heap.arrange(later, Happening::Message { query });
            return Ok(());
        };
        if self.coordinators[c].owned.contains_key(&query) || self.read_fails() {
            self.heap.arrange(later, Happening::Message { query });
            return Ok(());
        }
        let local = self.local(c);
        let standing = self.shelf.standing(query);
        match standing.state(local, Duration::from_millis(LEASE_MS)) {
            State::Unknown | State::Ended => return Ok(()),
            State::Owned { .. } => self.coverage.hit("branch lease put off"),
            State::Orphan => {
                let standing = standing.clone();
                self.claim(c, query, standing);
            }
        }
        self.heap.arrange(later, Happening::Message { query });
        Ok(())
    }

    fn claim(&mut self, c: usize, query: usize, standing: Standing) {
        let (epoch, next) = (standing.epoch + 1, standing.next);
        let id = &self.queries[query].id;
        self.trace.note(self.now, format_args!("c{c} claims {id} as {epoch}"));
        self.coverage.hit("branch claim");
        let entries = standing.claim(&format!("c{c}"));
        self.own(c, query, epoch, Phase::Claiming(Box::new(standing)), next);
        self.append(c, query, Purpose::Claim, entries);
    }

    /// The claim is durable: what its attempts left is listed.
    pub(super) fn claimed(&mut self, c: usize, query: usize) {
        let list_ms = self.streams.coordination.random_range(20..400);
        let to = self.coordinators[c].address();
        let Some(owned) = self.coordinators[c].owned.get_mut(&query) else {
            return;
        };
        let epoch = owned.epoch;
        if let Phase::Claiming(standing) = std::mem::replace(&mut owned.phase, Phase::Accepting) {
            owned.phase = Phase::Listing(standing);
        }
        self.send(to, list_ms, News::Listed { query, epoch });
        if self.goes_wrong("fault crash after a claim", self.mishaps.crash_after_claim) {
            let down_ms = draw_down_ms(&mut self.streams.coordination);
            self.arrange_mishap(c, list_ms / 2, Mishap::Crash { down_ms });
        }
    }

    pub(super) fn listed(&mut self, c: usize, query: usize, epoch: u32) -> Step {
        let id = self.queries[query].id.clone();
        let mut found = self.cloud.list(&id);
        if !found.is_empty() && self.goes_wrong("fault footer unreadable", self.mishaps.footer_unreadable) {
            found.swap_remove(self.streams.coordination.random_range(0..found.len()));
        }
        let local = self.local(c);
        let coordinator = &mut self.coordinators[c];
        let Some(owned) = coordinator.owned.get_mut(&query).filter(|owned| owned.epoch == epoch) else {
            return Ok(());
        };
        let Phase::Listing(standing) = std::mem::replace(&mut owned.phase, Phase::Running) else {
            return Err(format!("{id}: listed out of turn"));
        };
        let past = self.chronicle.resumed(&id, epoch, &found);
        let past = past.ok_or_else(|| format!("{id}: resumed and never accepted"))?;
        coordinator.auditor.resumed(local, &id, past, &found);
        if standing.is_canceled {
            coordinator.auditor.canceled(&id);
        }
        self.trace
            .note(self.now, format_args!("c{c} resumes {id}, {} found", found.len()));
        let event = standing.resumed(id, found).ok_or("a claim needs an accepted query")?;
        self.run_on(c, query);
        self.handle(c, event);
        Ok(())
    }

    pub(super) fn beat(&mut self, c: usize, query: usize, epoch: u32) -> Step {
        let local = self.local(c);
        let to = self.coordinators[c].address();
        let owned = self.coordinators[c].owned.get_mut(&query);
        let Some(owned) = owned.filter(|owned| owned.epoch == epoch) else {
            return Ok(());
        };
        owned.beat_due = local.since(owned.written_at) >= Duration::from_millis(LEASE_MS / 2);
        self.send(to, LEASE_MS / 2, News::Beat { query, epoch });
        self.pump(c, query);
        Ok(())
    }

    /// Begins the next append, if one is due and none is on its way.
    pub(super) fn pump(&mut self, c: usize, query: usize) {
        if !self.coordinators[c].runs(query) {
            return;
        }
        let coordinator = &mut self.coordinators[c];
        let Some(owned) = coordinator.owned.get_mut(&query).filter(|owned| !owned.is_writing) else {
            return;
        };
        if let Some((outcome, meter)) = &owned.end {
            let mut entries = coordinator.scheduler.take_entries(&owned.id);
            coordinator.auditor.took_entries(&owned.id);
            entries.push(Entry::Final {
                outcome: Box::new(outcome.clone()),
                meter: Box::new(*meter),
            });
            self.append(c, query, Purpose::End, entries);
        } else if std::mem::take(&mut owned.journal_due) {
            let entries = coordinator.scheduler.take_entries(&owned.id);
            coordinator.auditor.took_entries(&owned.id);
            if entries.is_empty() {
                let query = owned.id.clone();
                coordinator.auditor.journaled(&query);
                self.coverage.hit("branch nothing to journal");
                return self.handle(c, Event::Journaled { query });
            }
            self.append(c, query, Purpose::Entries, entries);
        } else if std::mem::take(&mut owned.beat_due) {
            let epoch = owned.epoch;
            self.append(c, query, Purpose::Beat, vec![Entry::Beat { epoch }]);
        }
    }

    /// A record that somebody else put where the owner wanted to.
    pub(super) fn hear(&mut self, c: usize, query: usize, record: &Record) {
        let id = self.queries[query].id.clone();
        let coordinator = &mut self.coordinators[c];
        let Some(owned) = coordinator.owned.get_mut(&query) else {
            return;
        };
        match &mut owned.phase {
            Phase::Accepting => {}
            Phase::Claiming(standing) | Phase::Listing(standing) => standing.read(record.clone()),
            Phase::Running => {
                self.coverage.hit("branch cancel heard");
                coordinator.auditor.canceled(&id);
                self.handle(c, Event::Canceled { query: id });
            }
        }
    }

    /// The final record is durable: only now is the client told.
    pub(super) fn concluded(&mut self, c: usize, query: usize) -> Step {
        let Some(owned) = self.coordinators[c].owned.remove(&query) else {
            return Ok(());
        };
        if let Some((outcome, _)) = &owned.end {
            let verdict = self.chronicle.answered(self.now, &owned.id, outcome);
            verdict.map_err(text)?;
            self.coordinators[c].auditor.durable(&owned.id);
            let last = self.queries[query].deadline.since(self.now).as_millis() as u64;
            let to = self.coordinators[c].address();
            self.send(to, last + ZOMBIES_MS, News::Sweep { query });
        }
        self.handle(c, Event::Ended { query: owned.id });
        Ok(())
    }

    /// Who ended a query deletes what is under its prefix, if it still lives then.
    pub(super) fn sweep(&mut self, query: usize) {
        let id = &self.queries[query].id;
        let swept = self.cloud.sweep(id);
        self.trace.note(self.now, format_args!("sweep {id}, {swept} objects"));
        self.coverage.hit("branch swept");
        self.queries[query].is_swept = true;
    }

    pub(super) fn fenced(&mut self, c: usize, query: usize, purpose: Purpose) -> Step {
        let coverage = match purpose {
            Purpose::Accept => "branch accepted elsewhere",
            Purpose::Claim => "branch claimed elsewhere",
            Purpose::End => "branch fenced at the end",
            Purpose::Entries => "branch fenced at entries",
            Purpose::Beat | Purpose::Cancel => "branch fenced at a beat",
        };
        self.coverage.hit(coverage);
        let Some(owned) = self.coordinators[c].owned.remove(&query) else {
            return Ok(());
        };
        let verdict = self.chronicle.fenced(self.now, &owned.id, &owned.writer);
        verdict.map_err(text)?;
        self.trace.note(self.now, format_args!("c{c} fenced {}", owned.id));
        let local = self.local(c);
        self.coordinators[c].auditor.fenced(local, &owned.id);
        self.handle(c, Event::Fenced { query: owned.id });
        Ok(())
    }
}

/// Of the tasks that there are.
fn epoch(c: usize, epoch: u32) -> Entry {
    let coordinator = format!("c{c}");
    Entry::Epoch { epoch, coordinator }
}
