//! Faults that strike an invocation under way: who is killed, stopped or starved, and when. Which of them do is drawn in service.rs.

use std::time::Duration;

use super::environment::{Environment, Event, Trap};
use super::fault::{KillMoment, LambdaFault};
use super::outcome::Outcome;

/// Runs the event while `fault` happens to it.
pub(crate) async fn invoke(environment: &Environment, event: Event, fault: Option<LambdaFault>) -> Outcome {
    match fault {
        Some(LambdaFault::Kill { moment }) => killed(environment, event, moment).await,
        Some(LambdaFault::OutOfMemory { after_ms }) => {
            let after = Duration::from_millis(after_ms);
            struck(environment, event, after, Environment::exhaust).await
        }
        Some(LambdaFault::Hang) => trapped(environment, event, Trap::HangAtEvent).await,
        _ => environment.invoke(event).await,
    }
}

async fn killed(environment: &Environment, event: Event, moment: KillMoment) -> Outcome {
    match moment {
        KillMoment::EventDelivered => trapped(environment, event, Trap::KillAtEvent).await,
        KillMoment::AfterMs(ms) => {
            struck(environment, event, Duration::from_millis(ms), Environment::strike_down).await
        }
        KillMoment::BeforeResponse => trapped(environment, event, Trap::KillBeforeAnswer).await,
        KillMoment::AfterResponse => trapped(environment, event, Trap::KillAfterAnswer).await,
        KillMoment::Frozen => {
            let outcome = environment.invoke(event).await;
            environment.kill().await;
            outcome
        }
        // It strikes a start, not an event.
        KillMoment::Init => environment.invoke(event).await,
    }
}

async fn trapped(environment: &Environment, event: Event, trap: Trap) -> Outcome {
    environment.arm(trap);
    environment.invoke(event).await
}

/// The invocation, with one blow at that time, if it lasts so long.
async fn struck(environment: &Environment, event: Event, after: Duration, blow: fn(&Environment)) -> Outcome {
    let blow = async {
        tokio::time::sleep(after).await;
        blow(environment);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = environment.invoke(event) => outcome,
        () = blow => unreachable!("a blow waits for ever after it was struck"),
    }
}
