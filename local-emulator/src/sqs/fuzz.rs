//! Doors into SQS for fuzzing: actions in JSON and in the query protocol, behind the check of who asks.

use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use serde_json::{Value, json};

use super::query;
use super::redrive::{RedriveAllow, RedrivePolicy};
use super::{SqsApi, error::SqsError};
use crate::count::Counter;
use crate::fault::Faults;
use crate::settings::Settings;

/// With one queue that has one message.
fn api() -> SqsApi {
    let settings = Settings::new(PathBuf::new(), PathBuf::new());
    let faults = Arc::new(Faults::new(settings.faults.clone()));
    let api = SqsApi::new(&settings, "http://sqs".to_owned(), Arc::new(Counter::default()), faults);
    for (action, request) in [
        ("CreateQueue", json!({ "QueueName": "jobs" })),
        ("SendMessage", json!({ "QueueUrl": "jobs", "MessageBody": "x" })),
    ] {
        run(&api, action, &request)
            .expect("it does not wait")
            .expect("it is valid");
    }
    api
}

/// What is answered at once; a long poll is left.
fn run(api: &SqsApi, action: &str, request: &Value) -> Option<Result<Value, SqsError>> {
    let _runtime = crate::fuzz::runtime().enter();
    api.act(action, request).now_or_never()
}

/// The action in the first line, its JSON behind.
pub(crate) fn action(data: &[u8]) {
    let (action, body) = crate::fuzz::first_line(data);
    if let Ok(request) = serde_json::from_slice(body) {
        let api = api();
        // Twice: what the first made, the second finds.
        run(&api, &action, &request);
        run(&api, &action, &request);
    }
}

/// The path in the first line, the form behind.
pub(crate) fn form(data: &[u8]) {
    let (path, form) = crate::fuzz::first_line(data);
    if let Ok((action, request)) = query::request(&path, form)
        && let Some(Ok(answer)) = run(&api(), &action, &request)
    {
        query::answer(&action, &answer, "id");
    }
}

pub(crate) fn policies(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = RedrivePolicy::parse(&text);
    let _ = RedriveAllow::parse(&text);
}
