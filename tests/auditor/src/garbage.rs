//! What a query leaves behind: of each task's objects all but its winner's are given up, each once, when the end is durable and not
//! before. Winners are deleted with the query's prefix, which is no coordinator's own business.
//!
//! Only of queries that ended where they began: of others' objects a coordinator need not know. A report that comes when nothing of the
//! query is awaited any more is nobody's, and its object is left to the prefix, too.

use crate::history::{History, object_key};
use crate::violation::{Rule, must};
use mayfly_protocol::{Output, TaskId};
use std::sync::Arc;

/// A report with this output was delivered.
pub(crate) fn note(history: &mut History, task: TaskId, output: &Output) {
    let is_heard = !history.is_durable || history.launches().any(|launch| launch.is_open());
    if let Some(key) = object_key(output).filter(|_| is_heard) {
        let owed = history.owed.entry(task).get_or_insert_default();
        owed.insert(key.clone());
    }
}

/// Until the end is durable another coordinator, which knows less, may take a loser's object for a winner's.
pub(crate) fn check_time(history: &History) -> Rule {
    must(history.is_durable, || {
        "was given up before the end was durable here".to_owned()
    })
}

/// The first report of a task wins it, where nothing is lost and every row is wanted.
pub(crate) fn check_loser(history: &History, task: TaskId, key: &str) -> Rule {
    must(
        !history.first.contains(key) || !history.is_whole || !history.tells_failures(task),
        || format!("{key} was the first of its task, and lost"),
    )
}

/// Nothing will happen any more.
pub(crate) fn check_end(history: &History) -> Rule {
    if !history.is_whole || !history.is_durable {
        return Ok(());
    }
    history.owed.values().try_for_each(|keys| {
        let kept = keys
            .iter()
            .filter(|key| !history.discarded.contains(*key) && !history.passed_on.contains(*key));
        let kept: Vec<&Arc<str>> = kept.collect();
        must(kept.len() <= 1, || format!("leaves {kept:?} behind"))
    })
}
