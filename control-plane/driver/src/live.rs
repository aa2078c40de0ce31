//! The driver's book on one query: who watches it, what it published, what it spent. Decides nothing.

use crate::actor::Kept;
use crate::handle::{Flight, Journaled, QueryState, QueryStatus, ResultSet};
use crate::journal::Journal;
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{AttemptId, EpochMs, ErrorCode, Failure, Meter, Output, OutputLocation, QueryError, StageId};
use mayfly_schedule::{Event, Progress};
use mayfly_store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

pub struct Live {
    pub status: watch::Sender<QueryStatus>,
    pub accepted: Arc<Kept>,
    /// On the steady clock; long over of a query that ended elsewhere.
    pub deadline: EpochMs,
    /// Incarnation of the coordinator that owns the query.
    pub epoch: u32,
    /// None while it is appended to, and of a query that ended elsewhere.
    pub journal: Option<Box<Journal>>,
    /// As of the last record.
    pub journaled: Journaled,
    /// The scheduler has something that the journal shall know.
    pub has_entries: bool,
    /// How the query ends, once that is written.
    pub ending: Option<Box<Outcome>>,
    /// What the coordinator asks of S3 for this query is counted here.
    pub requests: Store,
    pub sqs_requests: u64,
    /// Invocations that have not answered yet.
    pub flights: BTreeMap<AttemptId, Flight>,
    /// What the query had used before it was this coordinator's.
    pub before: Meter,
    /// Meters by stage, of all attempts since.
    pub usage: BTreeMap<StageId, Meter>,
    /// Keys of published objects by stage.
    keys: BTreeMap<StageId, Vec<String>>,
    /// Keys of plans that were put into S3.
    pub plans: Vec<String>,
    /// Some attempt ended unseen and may have left an object that nobody named.
    pub lost: bool,
    /// The stage whose objects are the rows, of a query that has some.
    pub root: Option<StageId>,
    pub released: bool,
    /// What the last sweep spared, if there was one.
    pub swept: Option<Option<StageId>>,
    /// All of it has been looked for once.
    pub is_swept: Arc<AtomicBool>,
}

impl Live {
    pub fn new(
        status: watch::Sender<QueryStatus>,
        journal: Journal,
        requests: Store,
        accepted: Arc<Kept>,
        deadline: EpochMs,
    ) -> Live {
        Live {
            deadline,
            journaled: journal.written,
            journal: Some(Box::new(journal)),
            ..Live::past(status, requests, accepted)
        }
    }

    /// Of a query that ended elsewhere.
    pub fn past(status: watch::Sender<QueryStatus>, requests: Store, accepted: Arc<Kept>) -> Live {
        Live {
            status,
            accepted,
            deadline: EpochMs(0),
            epoch: 1,
            journal: None,
            journaled: Journaled::default(),
            has_entries: false,
            ending: None,
            requests,
            sqs_requests: 0,
            flights: BTreeMap::new(),
            before: Meter::default(),
            usage: BTreeMap::new(),
            keys: BTreeMap::new(),
            plans: Vec::new(),
            lost: false,
            root: None,
            swept: None,
            is_swept: Arc::default(),
            released: false,
        }
    }

    /// The status of a query that was just accepted.
    pub fn accepted() -> QueryStatus {
        QueryStatus {
            state: QueryState::Running,
            progress: Progress::default(),
            usage: BTreeMap::new(),
            coordinator: Meter::default(),
            before: Meter::default(),
            flights: Vec::new(),
            sweep_due: false,
            journal: Journaled::default(),
            error: None,
            result: None,
        }
    }

    /// An invocation answered: books its objects and its meter before the scheduler hears of it.
    pub fn book(&mut self, event: &Event) {
        match event {
            Event::Reported { attempt, answer, meter } => {
                self.flights.remove(attempt);
                *self.usage.entry(attempt.task.stage).or_default() += *meter;
                self.book_output(attempt.task.stage, &answer.output);
            }
            Event::Failed {
                attempt,
                meter,
                failure,
            } => {
                self.flights.remove(attempt);
                *self.usage.entry(attempt.task.stage).or_default() += *meter;
                self.lost |= meter.invocations > 0 && may_have_published(failure);
            }
            _ => {}
        }
    }

    pub fn book_output(&mut self, stage: StageId, output: &Output) {
        self.keys.entry(stage).or_default().extend(key(output));
    }

    /// A sweep that is due, and the stage that it must spare, since its rows may still be read.
    pub fn due_sweep(&mut self) -> Option<Option<StageId>> {
        let spared = self.root.filter(|_| !self.released);
        let is_due = self.lost && self.swept != Some(spared);
        is_due.then(|| *self.swept.insert(spared))
    }

    /// Keys of a query that has ended, for which no reader will ask again: all, or all but the result's.
    pub fn garbage(&mut self, keep: Option<StageId>) -> Vec<String> {
        let kept = keep.and_then(|stage| self.keys.remove_entry(&stage));
        let plans = std::mem::take(&mut self.plans);
        let garbage = std::mem::take(&mut self.keys).into_values().flatten();
        let garbage = garbage.chain(plans).collect();
        self.keys.extend(kept);
        garbage
    }

    fn coordinator(&self) -> Meter {
        Meter {
            s3: self.requests.meter(),
            sqs_requests: self.sqs_requests,
            ..Meter::default()
        }
    }

    /// Everything that the query used.
    pub fn total(&self) -> Meter {
        let now = self.usage.values().copied().chain([self.coordinator()]);
        now.chain([self.before]).sum()
    }

    /// Publishes new progress and what was used for it; also after the end, since late attempts still cost.
    pub fn publish(&self, progress: Option<Progress>) {
        self.status.send_modify(|status| {
            self.used(status);
            if let Some(progress) = progress {
                status.progress = progress;
            }
        });
    }

    fn used(&self, status: &mut QueryStatus) {
        status.coordinator = self.coordinator();
        status.before = self.before;
        status.flights = self.flights.values().copied().collect();
        status.sweep_due = self.lost && !self.is_swept.load(Ordering::Acquire);
        status.journal = self.journaled;
        status.usage.clone_from(&self.usage);
    }

    /// The end is durable: tells the watchers.
    pub fn end(&self, outcome: Outcome, bucket: &str) {
        self.status.send_modify(|status| {
            match outcome {
                Outcome::Finished { outputs, .. } => {
                    status.state = QueryState::Finished;
                    status.result = Some(ResultSet {
                        bucket: bucket.to_owned(),
                        outputs: Arc::new(outputs),
                    });
                }
                Outcome::Failed { error } => {
                    status.state = QueryState::Failed;
                    status.error = Some(error);
                }
                Outcome::Canceled => {
                    status.state = QueryState::Canceled;
                    status.error = Some(QueryError::new(ErrorCode::UserCanceled, "Query was canceled"));
                }
            }
            self.used(status);
        });
    }
}

/// What an executor finds wrong with the query or its inputs it finds before it publishes; anything else may have struck after that.
fn may_have_published(failure: &Failure) -> bool {
    !matches!(failure, Failure::User { .. } | Failure::InputLost { .. })
}

fn key(output: &Output) -> Option<String> {
    match &output.location {
        OutputLocation::Object { key, .. } => Some(key.to_string()),
        OutputLocation::Inline { .. } => None,
    }
}
