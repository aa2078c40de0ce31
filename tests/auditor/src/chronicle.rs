//! Follows what all coordinators write, launch and answer, by the true clock: one journal per query, whoever owns it.

use crate::fold::{Fold, Works, is_gone};
use crate::history::Published;
use crate::violation::{Rule, Violation, must};
use mayfly_protocol::journal::{Accepted, Entry, Outcome, Record};
use mayfly_protocol::{AttemptId, EpochMs, Nonce, Output, QueryId, StageGraph, TaskId, TaskReport, TaskSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

type Verdict = Result<(), Violation>;

/// Judges any number of journals.
#[derive(Debug)]
pub struct Chronicle {
    /// Starts without a winner between them, after which a query may only end.
    starts_max: u32,
    journals: BTreeMap<QueryId, Journal>,
}

#[derive(Debug, Default)]
struct Journal {
    works: Works,
    records: Vec<Rc<Record>>,
    /// As accepted.
    graph: Option<Rc<StageGraph>>,
    /// None before the query was accepted.
    fold: Option<Fold>,
    deadline: EpochMs,
    epoch: u32,
    /// Who may write.
    owner: String,
    end: Option<(EpochMs, Outcome)>,
    /// Something that was published was found lost.
    is_lossy: bool,
}

/// What a coordinator that resumes a query could know of what was before.
#[derive(Debug)]
pub struct Inheritance {
    pub(crate) epoch: u32,
    pub(crate) graph: Rc<StageGraph>,
    pub(crate) deadline: EpochMs,
    pub(crate) specs: Vec<Rc<TaskSpec>>,
    pub(crate) published: Vec<Published>,
    pub(crate) durable: BTreeSet<TaskId>,
    pub(crate) losses: BTreeMap<TaskId, usize>,
    pub(crate) is_exhausted: bool,
}

impl Chronicle {
    /// One that has seen nothing.
    pub fn new(starts_max: u32) -> Chronicle {
        Chronicle {
            starts_max,
            journals: BTreeMap::new(),
        }
    }

    /// Some coordinator launched an attempt.
    pub fn launched(&mut self, now: EpochMs, spec: &Rc<TaskSpec>) -> Verdict {
        let attempt = &spec.attempt;
        let starts_max = self.starts_max;
        let rule = self.journal(&attempt.query).launched(spec, starts_max);
        judge(now, rule.map_err(|what| format!("{attempt}: {what}")))
    }

    /// Some execution of an attempt has made its output, inline or as an object.
    pub fn published(&mut self, report: &Rc<TaskReport>) {
        let works = &mut self.journal(&report.attempt.query).works;
        works.publish(report);
    }

    /// A record was created.
    pub fn appended(&mut self, now: EpochMs, query: &QueryId, sequence: u32, record: &Rc<Record>) -> Verdict {
        let rule = self.journal(query).append(now, sequence, record);
        judge(now, rule.map_err(|what| format!("{query}: record {sequence}: {what}")))
    }

    /// The owner of an epoch resumes the query: what it could know, with the objects that it found. None if nobody accepted it.
    pub fn resumed(&mut self, query: &QueryId, epoch: u32, found: &[TaskReport]) -> Option<Inheritance> {
        let starts_max = self.starts_max;
        let journal = self.journal(query);
        let fold = journal.fold_again(epoch, found)?;
        let past = Inheritance {
            epoch,
            graph: fold.graph.clone(),
            deadline: journal.deadline,
            specs: journal.works.specs().cloned().collect(),
            published: journal.works.published().cloned().collect(),
            durable: fold.durable(),
            losses: fold.losses.clone(),
            is_exhausted: fold.starts > starts_max,
        };
        // Else it was fenced before it began, and has not noticed.
        if epoch == journal.epoch {
            journal.fold = Some(fold);
        }
        Some(past)
    }

    /// A coordinator was told that an output was lost.
    pub fn lost(&mut self, query: &QueryId) {
        self.journal(query).is_lossy = true;
    }

    /// The writer takes the query for another's, and gives it up.
    pub fn fenced(&mut self, now: EpochMs, query: &QueryId, writer: &str) -> Verdict {
        let journal = self.journal(query);
        let rule = must(journal.owner != writer || journal.end.is_some(), || {
            format!("{query}: given up by {writer}, who owns it")
        });
        judge(now, rule)
    }

    /// Somebody's cancel is given up, as the query is over.
    pub fn cancel_given_up(&mut self, now: EpochMs, query: &QueryId) -> Verdict {
        let is_over = self.journal(query).end.is_some();
        let rule = must(is_over, || {
            format!("{query}: a cancel was given up, and the query goes on")
        });
        judge(now, rule)
    }

    /// A client was told how its query ended.
    pub fn answered(&mut self, now: EpochMs, query: &QueryId, outcome: &Outcome) -> Verdict {
        let durable = self.journal(query).end.as_ref().map(|(_, durable)| durable);
        let rule = must(durable == Some(outcome), || {
            format!("{query}: a client got an answer that is not the one in the journal")
        });
        judge(now, rule)
    }

    /// Nothing will happen any more, and nothing went wrong since long before `limit`.
    pub fn ended(&self, now: EpochMs, query: &QueryId, limit: EpochMs) -> Verdict {
        let end = self.journals.get(query).and_then(|journal| journal.end.as_ref());
        let rule = match end {
            None => Err(format!("{query}: has no final record")),
            Some((at, _)) => must(*at <= limit, || {
                format!("{query}: ended at {at}, which is after {limit}")
            }),
        };
        judge(now, rule)
    }

    /// A minute after the last deadline all that the query had published was deleted; this is there at the end of time.
    pub fn swept(&self, now: EpochMs, query: &QueryId, left: &[TaskReport]) -> Verdict {
        let first = left.first().map(|report| &report.attempt);
        let rule = must(first.is_none(), || {
            format!("{query}: published after it was swept: {first:?}")
        });
        judge(now, rule)
    }

    fn journal(&mut self, query: &QueryId) -> &mut Journal {
        // Asked for often, and nearly always there.
        if !self.journals.contains_key(query) {
            self.journals.insert(query.clone(), Journal::default());
        }
        self.journals.get_mut(query).expect("it was just inserted")
    }
}

impl Journal {
    fn launched(&mut self, spec: &Rc<TaskSpec>, starts_max: u32) -> Rule {
        let attempt = &spec.attempt;
        let fold = self.fold.as_ref().ok_or("launched before it was accepted")?;
        must(attempt.epoch <= self.epoch, || {
            "of an epoch that nobody has claimed".to_owned()
        })?;
        // An owner that has lost the query does not know better.
        if attempt.epoch == self.epoch {
            must(self.end.is_none(), || "launched after the final record".to_owned())?;
            must(fold.starts <= starts_max, || {
                format!("launched at start {}", fold.starts)
            })?;
        }
        must(self.works.launch(spec), || "launched twice".to_owned())
    }

    fn append(&mut self, now: EpochMs, sequence: u32, record: &Rc<Record>) -> Rule {
        let next = self.records.len();
        must(sequence as usize == next, || format!("follows {next} records"))?;
        must(!record.entries.is_empty(), || "is empty".to_owned())?;
        must(self.end.is_none(), || "follows the final one".to_owned())?;
        self.records.push(record.clone());
        for (place, entry) in record.entries.iter().enumerate() {
            self.check_writer(record, place, entry)?;
            match &mut self.fold {
                Some(fold) => fold.take(&self.works, entry)?,
                None => return Err("nobody has accepted the query".to_owned()),
            }
            if let Entry::Final { outcome, .. } = entry {
                self.check_end(outcome)?;
                self.end = Some((now, (**outcome).clone()));
            }
        }
        Ok(())
    }

    fn check_writer(&mut self, record: &Record, place: usize, entry: &Entry) -> Rule {
        match entry {
            Entry::Accepted(accepted) => self.accept(accepted, place),
            Entry::Epoch { epoch, .. } => {
                let expected = self.epoch + 1;
                must(*epoch == expected, || format!("claims epoch {epoch}, not {expected}"))?;
                self.epoch = *epoch;
                self.owner.clone_from(&record.writer);
                Ok(())
            }
            Entry::Cancel => Ok(()),
            _ => must(record.writer == self.owner, || {
                format!(
                    "was written by {}, who has lost the query to {}",
                    record.writer, self.owner
                )
            }),
        }
    }

    fn accept(&mut self, accepted: &Accepted, place: usize) -> Rule {
        must(self.records.len() == 1 && place == 0, || {
            "accepts the query again".to_owned()
        })?;
        self.deadline = accepted.request.deadline;
        let graph = Rc::new(accepted.graph.clone());
        self.graph = Some(graph.clone());
        self.fold = Some(Fold::new(graph));
        Ok(())
    }

    /// The answer is what tasks of the last stage published.
    fn check_end(&self, outcome: &Outcome) -> Rule {
        let Outcome::Finished { root, outputs } = outcome else {
            return Ok(());
        };
        (0..).zip(outputs).try_for_each(|(index, output)| {
            let task = TaskId { stage: *root, index };
            let mut published = self.works.published_by(task);
            let known = published.any(|other| other.output == *output);
            must(known, || format!("answers with what {task} never published"))?;
            self.check_answer(task, output)
        })
    }

    /// All winners are written before the answer, or with it. What stands on an output that is being made again is not written.
    fn check_answer(&self, task: TaskId, output: &Output) -> Rule {
        let winner = self.fold.as_ref().and_then(|fold| fold.winners.get(task));
        let is_winner = winner.is_some_and(|winner| winner.output == *output);
        must(is_winner || self.is_lossy, || {
            format!("answers with what is not {task}'s winner")
        })
    }

    /// From the start, without what needs objects that are gone, and without what later owners wrote. What does not count then is
    /// passed over.
    fn fold_again(&self, until: u32, found: &[TaskReport]) -> Option<Fold> {
        let is_later = |entry: &&Entry| matches!(entry, Entry::Epoch { epoch, .. } if *epoch > until);
        let found: BTreeSet<(AttemptId, Nonce)> = found
            .iter()
            .map(|report| (report.attempt.clone(), report.nonce))
            .collect();
        let mut fold = Fold::new(self.graph.clone()?);
        let entries = self.records.iter().flat_map(|record| &record.entries);
        for entry in entries.take_while(|entry| !is_later(entry)) {
            if is_gone(entry, &found) {
                fold.starts = 0;
            } else {
                // Whether it counts is all that is asked here.
                let _ = fold.take(&self.works, entry);
            }
        }
        Some(fold)
    }
}

fn judge(now: EpochMs, rule: Rule) -> Verdict {
    rule.map_err(|what| Violation { at: now, what })
}
