//! An alternative that was taken: its decider has published as little as it says, and nothing that it concerns was launched.

use crate::history::History;
use crate::violation::{Rule, must};
use mayfly_protocol::{Alternative, Stage, TaskId};
use std::rc::Rc;

/// Checks that the alternative may be taken; from here on its graph is the query's.
pub(crate) fn check(history: &mut History, taken: &Alternative) -> Rule {
    let is_known = history.graph.alternatives.contains(taken);
    must(is_known, || "to what its graph has no more".to_owned())?;
    let is_decided = is_decided(history, taken);
    must(is_decided, || "though its decider has published more".to_owned())?;
    for changed in taken.changed() {
        let launched = history.launches().any(|launch| launch.attempt.task.stage == changed);
        must(!launched, || format!("after {changed} was launched"))?;
    }
    history.graph = Rc::new(history.graph.with(taken));
    history.forget_losses(taken);
    Ok(())
}

fn is_decided(history: &History, alternative: &Alternative) -> bool {
    let Some(decider) = history.graph.stage(alternative.decides) else {
        return false;
    };
    least_bytes(history, decider).is_some_and(|bytes| bytes <= alternative.bytes_max)
}

/// What the stage has published at least; none if a task has published nothing. Which of several reports won is not known here.
fn least_bytes(history: &History, stage: &Stage) -> Option<u64> {
    let least = |index: u32| {
        let published = history.published_by(TaskId { stage: stage.id, index });
        published.iter().map(|published| published.output.len_bytes()).min()
    };
    let needed = (0..stage.tasks.len() as u32).map(least);
    match stage.enough_rows {
        // Some of its tasks need not run, and what another coordinator's attempts at them have published may count or not: one counts at least.
        Some(_) => needed.flatten().min(),
        None => needed.sum(),
    }
}
