//! What holds for all versions of a function: its reserved concurrency, and what becomes of its events.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::configuration::number;
use super::{Answer, Call, ManageApi, invalid, text};
use crate::lambda::function::LATEST;

/// No account has more.
const RESERVED_MAX: u64 = 1_000_000;

impl ManageApi {
    pub(super) fn reserve(&self, name: &str, call: &Call<'_>) -> Answer {
        let asked = number(&call.json()?, "ReservedConcurrentExecutions", 0..=RESERVED_MAX)?;
        let reserved = asked.ok_or_else(|| invalid("ReservedConcurrentExecutions is missing"))?;
        let function = self.latest(name)?;
        *function.shared.reserved.lock().expect("no holder panics") = usize::try_from(reserved).ok();
        Ok((StatusCode::OK, json!({ "ReservedConcurrentExecutions": reserved })))
    }

    pub(super) fn reserved(&self, name: &str) -> Answer {
        let reserved = self.latest(name)?.shared.reserved();
        let shown = reserved.map_or(
            json!({}),
            |reserved| json!({ "ReservedConcurrentExecutions": reserved }),
        );
        Ok((StatusCode::OK, shown))
    }

    pub(super) fn free(&self, name: &str) -> Answer {
        *self.latest(name)?.shared.reserved.lock().expect("no holder panics") = None;
        Ok((StatusCode::NO_CONTENT, Value::Null))
    }

    pub(super) fn handle_events(&self, name: &str, call: &Call<'_>) -> Answer {
        let asked = call.json()?;
        let function = self.latest(name)?;
        let retries = number(&asked, "MaximumRetryAttempts", 0..=2)?;
        let age = number(&asked, "MaximumEventAgeInSeconds", 60..=21_600)?;
        let queue = |kind: &str| text(&asked["DestinationConfig"][kind], "Destination").map(str::to_owned);
        {
            let mut events = function.shared.events.lock().expect("no holder panics");
            retries.inspect(|retries| events.retries_max = *retries as u32);
            age.inspect(|seconds| events.age_max = Duration::from_secs(*seconds));
            events.on_failure = queue("OnFailure").or(events.on_failure.take());
            events.on_success = queue("OnSuccess").or(events.on_success.take());
        }
        self.events(name)
    }

    pub(super) fn events(&self, name: &str) -> Answer {
        let function = self.latest(name)?;
        let events = function.shared.events();
        let to = |queue: &Option<String>| {
            queue
                .as_ref()
                .map_or(json!({}), |queue| json!({ "Destination": queue }))
        };
        let shown = json!({
            "FunctionArn": format!("{}:{LATEST}", function.arn),
            "MaximumRetryAttempts": events.retries_max,
            "MaximumEventAgeInSeconds": events.age_max.as_secs(),
            "DestinationConfig": { "OnFailure": to(&events.on_failure), "OnSuccess": to(&events.on_success) },
        });
        Ok((StatusCode::OK, shown))
    }

    pub(super) fn forget_events(&self, name: &str) -> Answer {
        *self.latest(name)?.shared.events.lock().expect("no holder panics") = Default::default();
        Ok((StatusCode::NO_CONTENT, Value::Null))
    }
}
