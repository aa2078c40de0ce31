//! Asynchronous invocations: an event is tried again when its function fails, waits while it is throttled, grows too old, and is told of at
//! its end. Runs nothing itself: see service.rs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::function::Function;
use super::service::{Admission, Finished, LambdaService};

/// How asynchronous invocations of a function are handled. AWS: two retries after one and two minutes, an age of six hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSettings {
    /// From 0 to 2.
    pub retries_max: u32,
    pub age_max: Duration,
    /// Before the first and before the second retry.
    pub retry_pauses: [Duration; 2],
    /// ARN of the queue that is told of an event that ran out of retries or of time.
    pub on_failure: Option<String>,
    pub on_success: Option<String>,
}

impl Default for EventSettings {
    fn default() -> EventSettings {
        EventSettings {
            retries_max: 2,
            age_max: Duration::from_secs(6 * 3600),
            retry_pauses: [Duration::from_secs(60), Duration::from_secs(120)],
            on_failure: None,
            on_success: None,
        }
    }
}

/// Where records of ended events go: the emulator's own SQS.
pub(crate) trait Destination: Send + Sync {
    fn send(&self, queue_arn: &str, body: String);
}

/// An event on its way to its end.
pub(crate) struct Delivery {
    pub service: Arc<LambdaService>,
    pub function: Arc<Function>,
    pub payload: Bytes,
    pub request_id: String,
}

/// How the last try ended, if there was one.
struct Last {
    attempts: u32,
    finished: Option<Finished>,
}

impl Delivery {
    pub async fn run(self) {
        let settings = self.function.shared.events();
        let accepted = Instant::now();
        let mut last = Last {
            attempts: 0,
            finished: None,
        };
        let condition = loop {
            let Some(admission) = self.admitted(last.attempts, accepted).await else {
                break "EventAgeExceeded";
            };
            let finished = self.attempt(admission).await;
            let failed = finished.outcome.is_error();
            last.attempts += 1;
            last.finished = Some(finished);
            match failed {
                false => break "Success",
                true if last.attempts > settings.retries_max => break "RetriesExhausted",
                true => {}
            }
        };
        let told = if condition == "Success" {
            &settings.on_success
        } else {
            &settings.on_failure
        };
        if let (Some(queue), Some(destination)) = (told, self.service.destination()) {
            destination.send(queue, self.record(condition, &last).to_string());
        }
    }

    /// Waits before a retry, and until there is room; none if the event is too old by then.
    async fn admitted(&self, attempts: u32, accepted: Instant) -> Option<Admission> {
        let settings = self.function.shared.events();
        let left = || settings.age_max.saturating_sub(accepted.elapsed());
        if let Some(pause) = attempts
            .checked_sub(1)
            .and_then(|retry| settings.retry_pauses.get(retry as usize))
        {
            tokio::time::sleep((*pause).min(left())).await;
        }
        if left().is_zero() {
            return None;
        }
        self.service.admit_later(&self.function, left()).await
    }

    async fn attempt(&self, admission: Admission) -> Finished {
        let invocation = self.service.clone();
        invocation
            .invoke_as(
                self.request_id.clone(),
                self.function.clone(),
                self.payload.clone(),
                admission,
            )
            .await
    }

    /// As AWS sends it to a destination.
    fn record(&self, condition: &str, last: &Last) -> Value {
        let (error, payload) = match &last.finished {
            Some(finished) => (
                finished.outcome.is_error().then_some("Unhandled"),
                json_or_text(&finished.outcome.payload(&self.request_id)),
            ),
            None => (None, Value::Null),
        };
        let mut context = json!({ "statusCode": 200, "executedVersion": self.function.version });
        if let Some(error) = error {
            context["functionError"] = json!(error);
        }
        json!({
            "version": "1.0",
            "timestamp": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": format!("{}:{}", self.function.arn, self.function.version),
                "condition": condition,
                "approximateInvokeCount": last.attempts,
            },
            "requestPayload": json_or_text(&self.payload),
            "responseContext": context,
            "responsePayload": payload,
        })
    }
}

fn json_or_text(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| json!(BASE64_STANDARD.encode(bytes)))
}
