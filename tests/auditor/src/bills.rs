//! The bill is the sum over what was delivered, and bounds for what never was.

use crate::history::{History, Launch};
use crate::violation::{Rule, must};
use mayfly_protocol::{AttemptId, EpochMs, Failure, Meter, StageId};
use std::collections::BTreeMap;

type Sums = BTreeMap<StageId, Meter>;

/// An answer came: into the bill before the end, after it into what must be passed on.
pub(crate) fn deliver(history: &mut History, attempt: &AttemptId, meter: &Meter) {
    if let Some(copy) = history.launch_mut(attempt).and_then(|launch| launch.copy.as_mut()) {
        copy.billed_mb_ms += meter.billed_mb_ms;
    }
    if history.is_over() {
        history.late.push((attempt.clone(), *meter));
    } else {
        *history.delivered.entry(attempt.task.stage).or_default() += *meter;
    }
}

/// No answer came in time.
pub(crate) fn expire(history: &mut History, attempt: &AttemptId, at: EpochMs) {
    let message = "no answer".to_owned();
    history.note_failure(attempt, Failure::EnvironmentLost { message }, at);
    let over = history.is_over();
    let Some(launch) = history.launch_mut(attempt) else {
        return;
    };
    launch.expired = true;
    let bound = launch.bound();
    if over {
        history.late.push((attempt.clone(), bound));
    }
}

/// Compares the bill at the end with what was delivered.
///
/// Attempts whose wait was over at the very millisecond of the end, or while its coordinator stood still after `seen`, may be on either
/// side of it, in the order of their times and ids: those that are not in the bill must be passed on.
pub(crate) fn settle(history: &mut History, seen: EpochMs, usage: &Sums) -> Rule {
    let unanswered = |launch: &&Launch| launch.expired && !launch.answered;
    let mut sums = history.delivered.clone();
    for launch in history.billed().filter(unanswered) {
        if launch.expires < seen {
            add(&mut sums, launch);
        }
    }
    let edge = history.billed().filter(unanswered);
    let mut edge: Vec<&Launch> = edge.filter(|launch| launch.expires >= seen).collect();
    edge.sort_by_key(|launch| (launch.expires, launch.attempt.clone()));
    let mut edge = edge.into_iter();
    while !equal(&sums, usage) {
        match edge.next() {
            Some(launch) => add(&mut sums, launch),
            None => return Err(format!("the bill is {usage:?}, the sum over its attempts {sums:?}")),
        }
    }
    let rest: Vec<(AttemptId, Meter)> = edge.map(|launch| (launch.attempt.clone(), launch.bound())).collect();
    history.late.extend(rest);
    Ok(())
}

/// What ended after its query is passed on once, as it was delivered.
pub(crate) fn late(history: &mut History, attempt: &AttemptId, meter: &Meter) -> Rule {
    must(history.is_over(), || "late before the end".to_owned())?;
    let due = |(due, amount): &(AttemptId, Meter)| due == attempt && amount == meter;
    let place = history.late.iter().position(due);
    let place = place.ok_or("a late meter that was never delivered")?;
    history.late.swap_remove(place);
    Ok(())
}

fn add(sums: &mut Sums, launch: &Launch) {
    *sums.entry(launch.attempt.task.stage).or_default() += launch.bound();
}

/// Stages that used nothing may be left out.
fn equal(left: &Sums, right: &Sums) -> bool {
    let used = |sums: &Sums| -> Vec<(StageId, Meter)> {
        let used = sums.iter().filter(|(_, meter)| **meter != Meter::default());
        used.map(|(stage, meter)| (*stage, *meter)).collect()
    };
    used(left) == used(right)
}
