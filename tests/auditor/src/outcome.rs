//! The end of a query: once, in time, and for a reason that was seen.

use crate::auditor::Bounds;
use crate::history::{History, Launch, object_key};
use crate::violation::{Rule, must};
use crate::{again, fleet, lineage};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{EpochMs, ErrorCode, Failure, FunctionSize, Output, QueryError, TaskId, limits};
use std::collections::BTreeMap;

pub(crate) fn check(history: &History, now: EpochMs, outcome: &Outcome, bounds: &Bounds) -> Rule {
    must(!history.is_over(), || "ended twice".to_owned())?;
    must(now <= history.may_end_until, || "ended after its deadline".to_owned())?;
    match outcome {
        Outcome::Canceled => must(history.canceled, || "canceled by nobody".to_owned()),
        Outcome::Finished { root, outputs } => {
            let last = history.graph.root().ok_or("finished without a stage")?;
            must(last.id == *root, || format!("answers with stage {root}"))?;
            lineage::check(history, outputs)
        }
        Outcome::Failed { error } => check_reason(history, now, error, bounds),
    }
}

/// An object that is passed on as garbage holds no part of the answer.
pub(crate) fn check_garbage(history: &History, output: &Output) -> Rule {
    let answer = match &history.outcome {
        Some(Outcome::Finished { outputs, .. }) => outputs.as_slice(),
        _ => &[],
    };
    let key = object_key(output);
    must(answer.iter().all(|part| object_key(part) != key), || {
        format!("{key:?} holds the answer and was given up")
    })
}

/// Each code stands for something that must have been seen.
fn check_reason(history: &History, now: EpochMs, error: &QueryError, bounds: &Bounds) -> Rule {
    let seen = |is: fn(&Failure) -> bool| held(history, is).next().is_some();
    let at_the_end = now.0 + limits::DEADLINE_MARGIN_MS >= history.deadline.0;
    let holds = match error.code {
        ErrorCode::ExceededTimeLimit => at_the_end || is_out_of_time(history, now),
        ErrorCode::ExceededLocalMemoryLimit => held(history, |failure| matches!(failure, Failure::NeedsMemory { .. }))
            .any(|launch| launch.size == FunctionSize::Six),
        ErrorCode::NoNodesAvailable => is_fleet_dead(history, now, bounds),
        ErrorCode::TaskPoisoned => {
            most(history, |failure| matches!(failure, Failure::Broken { .. })) >= limits::CRASHES_MAX
                || most(history, |failure| matches!(failure, Failure::EnvironmentLost { .. }))
                    > limits::ENVIRONMENTS_LOST_MAX
        }
        ErrorCode::RemoteTaskError => {
            let transient = |failure: &Failure| matches!(failure, Failure::Transient { .. });
            most(history, transient) >= limits::TRANSIENT_ATTEMPTS_MAX
                || held(history, transient).count() > bounds.retries_min as usize
        }
        ErrorCode::GenericInternalError => history.is_exhausted,
        ErrorCode::S3Error => seen(|failure| matches!(failure, Failure::InputLost { .. })),
        _ => held(history, |failure| matches!(failure, Failure::User { .. }))
            .any(|launch| matches!(&launch.failure, Some(Failure::User { error: seen }) if seen == error)),
    };
    must(holds, || {
        format!("failed as {} for no reason that was seen: {error}", error.code)
    })
}

/// A task timed out twice, or once with all that there is.
fn is_out_of_time(history: &History, now: EpochMs) -> bool {
    let timed_out = |failure: &Failure| matches!(failure, Failure::TimedOut { .. });
    let is_hopeless = |launch: &Launch| again::is_hopeless(history, now, launch);
    most(history, timed_out) >= 2 || held(history, timed_out).any(is_hopeless)
}

fn is_fleet_dead(history: &History, now: EpochMs, bounds: &Bounds) -> bool {
    let quiet_since = |moment: EpochMs| now.0 >= moment.0 + bounds.fleet_dead_ms;
    history.failed_at.is_some_and(quiet_since) && history.reported_at.is_none_or(quiet_since)
}

/// Failures of a kind that are held against their tasks, as far as that is known.
fn held(history: &History, is: impl Fn(&Failure) -> bool) -> impl Iterator<Item = &Launch> {
    let is_held = |launch: &&Launch| launch.counts || !history.tells_failures(launch.attempt.task);
    history.failures(is).filter(is_held)
}

/// A fleet looks dead to one query, and another knows better; or an attempt from before may still answer.
pub(crate) fn check_fleet(history: &History, now: EpochMs, outcome: &Outcome, alive_at: Option<EpochMs>) -> Rule {
    let is_given_up = matches!(outcome, Outcome::Failed { error } if error.code == ErrorCode::NoNodesAvailable);
    must(
        !is_given_up || !history.is_ordered || fleet::is_dead(history, now, alive_at),
        || "was given up, and the fleet is not dead".to_owned(),
    )
}

/// The most failures of a kind that one task had.
fn most(history: &History, is: impl Fn(&Failure) -> bool) -> u32 {
    let mut counts = BTreeMap::<TaskId, u32>::new();
    for launch in held(history, is) {
        *counts.entry(launch.attempt.task).or_default() += 1;
    }
    counts.into_values().max().unwrap_or(0)
}
