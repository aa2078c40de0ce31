//! What a crash would undo: winners that the journal does not know. Before there are too many of them, or before they have cost too
//! much to be made again, the journal is told. While it is being told more may come.
//!
//! Counted where it is known which reports win: see [`History::tells_failures`].

use crate::history::{History, object_key};
use crate::violation::{Rule, must};
use mayfly_protocol::{Meter, TaskReport};

/// Since the journal was last told.
#[derive(Debug, Default)]
pub(crate) struct Risk {
    wins: u32,
    /// Of those without an object.
    billed_mb_ms: u64,
    /// The journal is about to be told.
    pub is_asked: bool,
}

impl Risk {
    /// What there was is being written.
    pub fn take(&mut self) {
        (self.wins, self.billed_mb_ms) = (0, 0);
    }
}

/// The first report of a task.
pub(crate) fn note(history: &mut History, report: &TaskReport, meter: &Meter) {
    if !history.is_whole || !history.tells_failures(report.attempt.task) {
        return;
    }
    history.risk.wins += 1;
    if object_key(&report.output).is_none() {
        history.risk.billed_mb_ms += meter.billed_mb_ms;
    }
}

/// Looked at when something is launched: by then the journal has been asked.
pub(crate) fn check(history: &History) -> Rule {
    let (risk, bounds) = (&history.risk, &history.bounds);
    let is_due = risk.wins >= bounds.journal_wins_max || risk.billed_mb_ms >= bounds.journal_risk_mb_ms_max;
    must(!is_due || risk.is_asked || !history.is_plain(), || {
        format!(
            "launched with {} winners, of {} MB·ms, that the journal was not told",
            risk.wins, risk.billed_mb_ms
        )
    })
}
