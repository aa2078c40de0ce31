//! How an answer travels from an executor to the scheduler: once, twice, late, or never.

use crate::cloud::Moment;
use crate::coordinator::News;
use crate::executor::Execution;
use crate::faults::Faults;
use crate::heap::Happening;
use crate::random::{chance, skewed};
use mayfly_protocol::{EpochMs, Failure, Meter};
use rand::Rng;
use std::time::Duration;

/// The driver gives up on an Invoke this long after the task's deadline.
const DRIVER_GRACE_MS: u64 = 5_000;

enum Delivery {
    Once,
    Twice,
    /// About when nobody waits for it any more, or after.
    Late,
    Never,
    /// Never, but the driver notices.
    Noticed,
}

/// Arranges that the answer, ready at `at`, is heard; or not.
pub(crate) fn deliver(
    faults: &Faults,
    at: EpochMs,
    execution: &Execution,
    answer: impl Fn() -> News,
    moment: &mut Moment<'_>,
) {
    let delivery = draw(faults, execution, moment);
    let latency = &mut moment.streams.latency;
    let travel = Duration::from_millis(latency.random_range(2..30));
    let mut arrange = |at, news| {
        let to = execution.to;
        moment.heap.arrange(at, Happening::Deliver { to, news });
    };
    match delivery {
        Delivery::Once => arrange(at + travel, answer()),
        Delivery::Twice => {
            arrange(at + travel, answer());
            let later = Duration::from_millis(skewed(latency, 60_000));
            arrange(at + later, answer());
        }
        Delivery::Late => {
            let over = Duration::from_millis(latency.random_range(4_000..90_000));
            arrange(execution.spec.deadline + over, answer());
        }
        Delivery::Never => {}
        Delivery::Noticed => {
            let noticed = execution.spec.deadline + Duration::from_millis(DRIVER_GRACE_MS);
            arrange(noticed, unseen(execution, noticed));
        }
    }
}

fn draw(faults: &Faults, execution: &Execution, moment: &mut Moment<'_>) -> Delivery {
    if moment.strikes("fault answer lost", faults.lost) {
        // The driver waits for one answer: of a second execution it knows nothing.
        let noticed = chance(&mut moment.streams.faults, 0.5) && !execution.again;
        return if noticed { Delivery::Noticed } else { Delivery::Never };
    }
    if moment.strikes("fault answer late", faults.late) {
        return Delivery::Late;
    }
    match moment.strikes("fault answer duplicated", faults.duplicate_answer) {
        true => Delivery::Twice,
        false => Delivery::Once,
    }
}

/// The driver saw no answer: it reports a lost environment, billed at its bound.
fn unseen(execution: &Execution, noticed: EpochMs) -> News {
    let billed_ms = noticed.since(execution.begun).as_millis() as u64;
    let message = "no answer".to_owned();
    News::Fail {
        attempt: execution.spec.attempt.clone(),
        failure: Failure::EnvironmentLost { message },
        meter: Meter {
            invocations: 1,
            billed_ms,
            billed_mb_ms: billed_ms * u64::from(execution.spec.size.memory_mb()),
            bounded: 1,
            ..Meter::default()
        },
    }
}
