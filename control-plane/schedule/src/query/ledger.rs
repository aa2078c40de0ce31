//! What the journal is to be told of a query: winners, losses of winners that it holds, and tasks formed otherwise than planned.
//!
//! Telling costs a PUT, so winners wait until enough is at risk. A winner counts in the journal only if everything that it was
//! computed from counts there, which is looked at when the entries are taken: at that moment nobody else can have written between.

use super::Query;
use crate::Command;
use crate::bind;
use crate::core::Core;
use crate::task::{TaskKey, Winner};
use mayfly_protocol::journal::{Entry, Won, WonOutput};
use mayfly_protocol::{AttemptId, Nonce};

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    notes: Vec<Note>,
    /// Winners among the notes, and what those without an object were billed.
    wins: u32,
    risk_mb_ms: u64,
    /// The driver was asked to write, and has not said that it is done.
    is_asked: bool,
}

#[derive(Debug)]
enum Note {
    Won(TaskKey, Nonce),
    Other(Entry),
}

impl Query {
    pub(super) fn note_win(&mut self, at: TaskKey, billed_mb_ms: u64) {
        let winner = self.task(at).winner.as_ref().expect("it has just won");
        let (nonce, is_inline) = (winner.nonce, winner.key().is_none());
        self.ledger.notes.push(Note::Won(at, nonce));
        self.ledger.wins += 1;
        self.ledger.risk_mb_ms += if is_inline { billed_mb_ms } else { 0 };
    }

    /// Only what the journal holds can be lost to it.
    pub(super) fn note_loss(&mut self, at: TaskKey, winner: &Winner, why: &str) {
        if winner.is_journaled && !mutant!(ForgetJournaledLoss) {
            self.stages[at.stage].journaled -= 1;
            self.note_change(Entry::Lost {
                task: self.task_id(at),
                nonce: winner.nonce,
                why: why.to_owned(),
            });
        }
    }

    pub(super) fn note_change(&mut self, entry: Entry) {
        if mutant!(ForgetChanges) && !matches!(entry, Entry::Lost { .. }) {
            return;
        }
        self.ledger.notes.push(Note::Other(entry));
    }

    /// The journal knows it already: what falls while it is replayed falls for everybody who replays it.
    pub(super) fn forget_notes(&mut self) {
        self.ledger.notes.clear();
    }

    /// The journal was told, or there was nothing to tell.
    pub fn journaled(&mut self, core: &mut Core) {
        self.ledger.is_asked = false;
        self.ask_if_due(core);
    }

    pub(super) fn ask_if_due(&mut self, core: &mut Core) {
        let (settings, ledger) = (&core.settings, &self.ledger);
        let is_risky = ledger.risk_mb_ms >= settings.journal_risk_mb_ms_max && !mutant!(TellLate);
        if ledger.wins >= settings.journal_wins_max || is_risky {
            self.ask(core);
        }
    }

    /// Tells the journal now, if it does not know all.
    pub(super) fn ask(&mut self, core: &mut Core) {
        if self.ledger.wins > 0 && !self.ledger.is_asked && !mutant!(NeverTell) {
            self.ledger.is_asked = true;
            core.counters.journaled += 1;
            core.commands.push_back(Command::Journal { query: self.id.clone() });
        }
    }

    /// All that is worth a record, in the order in which it came about. Without a winner among it nothing is.
    pub fn take_entries(&mut self, core: &mut Core) -> Vec<Entry> {
        let notes = std::mem::take(&mut self.ledger.notes);
        (self.ledger.wins, self.ledger.risk_mb_ms) = (0, 0);
        let mut entries = Vec::new();
        for note in notes {
            match note {
                Note::Other(entry) => entries.push(entry),
                Note::Won(at, nonce) => entries.extend(self.take_win(core, at, nonce)),
            }
        }
        if mutant!(WinsOutOfOrder) {
            entries.reverse();
        }
        if entries.iter().any(|entry| matches!(entry, Entry::Won(_))) {
            return entries;
        }
        self.ledger.notes = entries.into_iter().map(Note::Other).collect();
        Vec::new()
    }

    fn take_win(&mut self, core: &mut Core, at: TaskKey, nonce: Nonce) -> Option<Entry> {
        if !self.counts_in_journal(at, nonce) {
            core.counters.journal_dropped += 1;
            return None;
        }
        let task = self.task_id(at);
        let stage = &mut self.stages[at.stage];
        stage.journaled += 1;
        let winner = stage.tasks[at.task].winner.as_mut().expect("it counts");
        winner.is_journaled = true;
        Some(Entry::Won(Box::new(Won {
            attempt: AttemptId {
                query: self.id.clone(),
                task,
                epoch: winner.epoch,
                number: winner.number,
            },
            nonce,
            pin_digest: winner.pin,
            output: WonOutput::of(&winner.output),
        })))
    }

    /// Whether it is still the winner, and was computed from winners that the journal holds.
    fn counts_in_journal(&self, at: TaskKey, nonce: Nonce) -> bool {
        let stage = &self.stages[at.stage];
        let Some(winner) = stage.tasks.get(at.task).and_then(|task| task.winner.as_ref()) else {
            return false;
        };
        let is_known = |input: &usize| self.stages[*input].is_journaled() || mutant!(ConsumerBeforeInputs);
        let is_it = winner.nonce == nonce && !winner.is_journaled;
        if mutant!(AppendUnchecked) {
            return is_it;
        }
        is_it && stage.inputs.iter().all(is_known) && self.has_current_pins(at, winner)
    }

    pub(super) fn has_current_pins(&self, at: TaskKey, winner: &Winner) -> bool {
        winner.version == self.stages[at.stage].version || bind::pin(self, at) == winner.pin
    }
}
