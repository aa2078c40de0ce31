//! How queries come and go: submitted or resumed, ended or taken away.

use super::Scheduler;
use crate::closed::Closed;
use crate::core::Core;
use crate::query::{Query, Submission};
use crate::{Command, Usage};
use mayfly_protocol::journal::{Entry, Outcome};
use mayfly_protocol::{QueryError, QueryId, StageGraph, TaskReport};

impl Scheduler {
    pub(super) fn submit(&mut self, submission: Submission, graph: StageGraph) {
        let id = submission.query.clone();
        if self.queries.contains_key(&id) || self.closed.contains_key(&id) {
            return;
        }
        self.begin(submission, graph, |query, core| {
            query.start(core);
            (query.deadline <= core.now).then(|| failed(query.time_is_over()))
        });
    }

    /// Also of a query that was another's in between: what is in flight here from before goes on.
    pub(super) fn resume(
        &mut self,
        submission: Submission,
        graph: StageGraph,
        entries: Vec<Entry>,
        found: Vec<TaskReport>,
    ) {
        let id = submission.query.clone();
        if self
            .queries
            .get(&id)
            .is_some_and(|query| query.epoch >= submission.epoch)
        {
            return;
        }
        self.fence(&id);
        self.begin(submission, graph, |query, core| query.resume(core, entries, found));
    }

    pub(super) fn begin(
        &mut self,
        submission: Submission,
        graph: StageGraph,
        first: impl FnOnce(&mut Query, &mut Core) -> Option<Outcome>,
    ) {
        let id = submission.query.clone();
        match Query::new(submission, graph, &self.core.settings) {
            Ok(mut query) => {
                query.set_deadline(&mut self.core);
                let outcome = first(&mut query, &mut self.core);
                self.queries.insert(id.clone(), query);
                self.settle(&id, outcome);
            }
            Err(error) => self.core.commands.push_back(Command::Finish {
                query: id,
                outcome: failed(error),
                usage: Usage::default(),
                progress: Box::default(),
            }),
        }
    }

    pub(super) fn end_is_durable(&mut self, id: &QueryId) {
        if let Some(closed) = self.closed.get_mut(id) {
            closed.end_is_durable(&mut self.core, id);
        }
        self.forget(id);
    }

    /// Drops the query; what it has in flight is awaited and billed, and nothing of it is deleted.
    pub(super) fn fence(&mut self, id: &QueryId) {
        if mutant!(LaunchWhenFenced) {
            return;
        }
        if let Some(mut query) = self.queries.remove(id) {
            self.core.counters.fenced += 1;
            query.cancel_timers(&mut self.core);
            self.close(id, Closed::fenced(&query));
        } else if let Some(closed) = self.closed.get_mut(id) {
            closed.fence();
        }
        self.forget(id);
    }

    pub(super) fn close(&mut self, id: &QueryId, mut closed: Closed) {
        if let Some(earlier) = self.closed.remove(id) {
            closed.absorb(earlier);
        }
        self.closed.insert(id.clone(), closed);
    }

    pub(super) fn cancel(&mut self, id: &QueryId) {
        if self.queries.contains_key(id) {
            self.core.counters.canceled += 1;
            let outcome = (!mutant!(LaunchAfterCancel)).then_some(Outcome::Canceled);
            self.settle(id, outcome);
        }
    }

    /// Ends the query if there is an outcome.
    pub(super) fn settle(&mut self, id: &QueryId, outcome: Option<Outcome>) {
        let Some(outcome) = outcome else { return };
        let Some(mut query) = self.queries.remove(id) else {
            return;
        };
        query.cancel_timers(&mut self.core);
        query.discard_kept(&mut self.core);
        let mut closed = Closed::ended(&mut self.core, &mut query, &outcome);
        if mutant!(DiscardBeforeDurable) {
            closed.end_is_durable(&mut self.core, id);
        }
        self.close(id, closed);
        self.core.commands.push_back(Command::Finish {
            query: id.clone(),
            outcome,
            usage: query.usage(),
            progress: Box::new(query.progress()),
        });
    }

    /// Lets go of a closed query once nothing of it is in flight and its end is durable.
    pub(super) fn forget(&mut self, id: &QueryId) {
        if self.closed.get(id).is_some_and(Closed::is_done) {
            self.closed.remove(id);
        }
    }
}

pub(super) fn failed(error: QueryError) -> Outcome {
    Outcome::Failed { error }
}
