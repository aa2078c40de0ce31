//! Which outputs stand once something was lost: what was found lost is never read again, and what was not does not run again.
//!
//! A reader is believed if its task still wants an answer. Which winner stands is followed where the query was seen whole, and said of
//! tasks of which no input, however far up, was lost: others fall with their inputs, and when they do is not known here.

use crate::history::{History, object_key};
use crate::violation::{Rule, must};
use mayfly_protocol::{AttemptId, StageId, TaskId, TaskReport};
use std::sync::Arc;

/// The winner of a task, as far as it can be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Winner { key: Option<Arc<str>> },
    Lost,
    Unknown,
}

/// A report is being delivered; an earlier delivery of it, or another report, may have won before.
pub(crate) fn note_report(history: &mut History, report: &TaskReport) {
    let task = report.attempt.task;
    let earlier = history.published_by(task).iter();
    let is_new = earlier.into_iter().all(|other| other.nonce != report.nonce);
    let is_wanted = history
        .standing
        .get(task)
        .is_none_or(|standing| *standing == Standing::Lost);
    if is_new && is_wanted && !history.is_over() {
        let key = object_key(&report.output).cloned();
        *history.standing.entry(task) = Some(Standing::Winner { key });
    }
}

/// A reader has found the object lost.
pub(crate) fn note_loss(history: &mut History, reader: &AttemptId, producer: TaskId, key: &str) {
    let is_awaited = history.launch_mut(reader).is_some_and(|launch| launch.is_open());
    let is_believed = is_awaited
        && reader.epoch == history.epoch
        && history.published_by(reader.task).is_empty()
        && !history.is_needless(reader.task);
    if is_believed {
        history.gone.insert(key.to_owned());
    }
    let Some(standing) = history.standing.get_mut(producer) else {
        return;
    };
    let is_winner = matches!(standing, Standing::Winner { key: Some(own) } if **own == *key);
    match (is_winner, is_believed) {
        (true, true) => *standing = Standing::Lost,
        (true, false) => *standing = Standing::Unknown,
        (false, _) => {}
    }
}

pub(crate) fn check_read(history: &History, key: &str) -> Rule {
    must(!history.gone.contains(key), || {
        format!("reads {key}, which was found lost")
    })
}

pub(crate) fn check_launch(history: &History, task: TaskId) -> Rule {
    let stands = matches!(history.standing.get(task), Some(Standing::Winner { .. }));
    let is_told = || history.is_whole && is_wanted(history, task.stage) && !falls(history, task.stage);
    must(!stands || !is_told(), || {
        "launched again though its winner stands".to_owned()
    })
}

fn is_wanted(history: &History, stage: StageId) -> bool {
    let stage = history.graph.stage(stage);
    stage.is_some_and(|stage| stage.enough_rows.is_none())
}

/// Whether something that the stage was computed from was lost.
fn falls(history: &History, stage: StageId) -> bool {
    let Some(stage) = history.graph.stage(stage) else {
        return true;
    };
    stage.inputs.iter().any(|input| {
        let is_lost = history.lost.keys().any(|task| task.stage == input.stage);
        is_lost || falls(history, input.stage)
    })
}
