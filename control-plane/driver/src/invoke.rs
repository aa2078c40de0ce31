//! One synchronous Invoke: spec in, answer out, and what the platform billed for it. Leaves every decision to the scheduler.

mod classify;
mod report_line;

use crate::{World, clock};
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType, LogType};
use base64::Engine;
use mayfly_protocol::envelope::{self, TaskAnswer};
use mayfly_protocol::{EpochMs, Failure, FunctionSize, Meter, TaskSpec};
use mayfly_schedule::Event;
use report_line::ReportLine;
use std::time::Duration;

/// How much longer than the task's deadline the client waits: the platform's own timeout answer must arrive first.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// Invokes the function of that size and waits for the end, whatever it is. The executor is told its deadline as wall clocks name it.
pub async fn invoke(world: &World, prefix: &str, spec: &TaskSpec, size: FunctionSize, now: EpochMs) -> Event {
    let wait = spec.deadline.since(now) + ANSWER_GRACE;
    let order = TaskSpec {
        deadline: clock::named(spec.deadline),
        sent: Some(clock::named(now)),
        ..spec.clone()
    };
    let timeouts = TimeoutConfig::builder().operation_timeout(wait).build();
    let overrides = aws_sdk_lambda::config::Builder::new().timeout_config(timeouts);
    let sent = world
        .lambda()
        .invoke()
        .function_name(size.function_name(prefix))
        .invocation_type(InvocationType::RequestResponse)
        .log_type(LogType::Tail)
        .payload(Blob::new(envelope::seal(&order)))
        .customize()
        .config_override(overrides)
        .send()
        .await;
    match sent {
        Ok(output) => answered(spec, &output, size, bound(spec, size, now)),
        Err(error) => {
            let (failure, started) = classify::refused(&error);
            let meter = if started {
                bound(spec, size, now)
            } else {
                Meter::default()
            };
            Event::Failed {
                attempt: spec.attempt.clone(),
                failure,
                meter,
            }
        }
    }
}

/// The platform answered: the executor's own words, or the platform's about the executor. Without a REPORT line it ran for a time that
/// nobody told, and `bound` is its meter.
fn answered(spec: &TaskSpec, output: &InvokeOutput, size: FunctionSize, bound: Meter) -> Event {
    let attempt = spec.attempt.clone();
    let payload = output.payload.as_ref().map_or(&[][..], |blob| blob.as_ref());
    let line = output
        .log_result
        .as_deref()
        .and_then(decode_tail)
        .and_then(|tail| ReportLine::find(&tail));
    let platform = line.map_or(bound, |line| line.meter());
    if output.function_error.is_some() {
        return Event::Failed {
            attempt,
            failure: classify::crashed(payload, line, size),
            meter: platform,
        };
    }
    match envelope::open::<TaskAnswer>(payload) {
        Ok(TaskAnswer::Done(report)) if report.attempt == attempt => {
            let meter = sum(platform, report.meter);
            Event::Reported {
                attempt,
                answer: Box::new(report),
                meter,
            }
        }
        Ok(TaskAnswer::Done(report)) => {
            let message = format!("the answer is for {}", report.attempt);
            Event::Failed {
                attempt,
                failure: Failure::Broken { message },
                meter: platform,
            }
        }
        Ok(TaskAnswer::Failed { failure, meter }) => Event::Failed {
            attempt,
            failure,
            meter: sum(platform, meter),
        },
        Err(error) => {
            let message = format!("the executor's answer cannot be read: {error}");
            Event::Failed {
                attempt,
                failure: Failure::Broken { message },
                meter: platform,
            }
        }
    }
}

fn decode_tail(text: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn sum(mut platform: Meter, executor: Meter) -> Meter {
    platform += executor;
    platform
}

/// An invocation whose outcome was not seen is billed as if it had run to its deadline.
fn bound(spec: &TaskSpec, size: FunctionSize, now: EpochMs) -> Meter {
    let billed_ms = u64::try_from(spec.deadline.since(now).as_millis()).unwrap_or(u64::MAX);
    let billed_mb_ms = billed_ms.saturating_mul(u64::from(size.memory_mb()));
    Meter {
        invocations: 1,
        bounded: 1,
        billed_ms,
        billed_mb_ms,
        ..Meter::default()
    }
}

#[cfg(test)]
mod tests;
