//! Tasks formed anew: allowed, of inputs that are there, and so that every partition is read once, theirs and those that they read.

use crate::history::History;
use crate::violation::{Rule, must};
use mayfly_protocol::{Stage, StageId, TaskId, TaskTemplate};
use std::rc::Rc;

/// Checks the new tasks; from here on they are the graph's.
pub(crate) fn check(history: &mut History, stage: StageId, tasks: &[TaskTemplate]) -> Rule {
    let planned = history.graph.stage(stage).ok_or("an unknown stage")?;
    let allowed = planned.regroup.as_ref().ok_or("not allowed, or done before")?;
    let divisible = |task: &TaskTemplate| task.share.is_none_or(|share| allowed.divisible.contains(&share.input));
    must(tasks.iter().all(divisible), || {
        "divides what is not divisible".to_owned()
    })?;
    must(
        history.launches().all(|launch| launch.attempt.task.stage != stage),
        || "after it was launched".to_owned(),
    )?;
    must(tasks.iter().all(|task| task.scans.is_empty()), || {
        "a task scans".to_owned()
    })?;
    check_published(history, planned)?;
    let graph = Rc::make_mut(&mut history.graph);
    let own = graph.stages.iter_mut().find(|other| other.id == stage);
    let own = own.ok_or("an unknown stage")?;
    own.tasks = tasks.to_vec();
    own.regroup = None;
    must(graph.is_read_once(), || {
        format!("by {tasks:?} not each partition is read once")
    })
}

fn check_published(history: &History, planned: &Stage) -> Rule {
    for input in &planned.inputs {
        let producer = history.graph.stage(input.stage).ok_or("reads an unknown stage")?;
        let stage = producer.id;
        let mut writers = (0..producer.tasks.len() as u32).map(|index| TaskId { stage, index });
        let is_published = |task: TaskId| !history.published_by(task).is_empty();
        // Some tasks of a stage that may have enough rows need not run.
        let published = match producer.enough_rows {
            Some(_) => writers.any(is_published),
            None => writers.all(is_published),
        };
        must(published, || format!("before all of {} was published", input.stage))?;
    }
    Ok(())
}
