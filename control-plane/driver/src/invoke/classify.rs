//! Turns what the platform says into a [`Failure`]: named by what to do next. The only place that reads AWS's words.

use super::ReportLine;
use aws_sdk_lambda::error::{DisplayErrorContext, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_smithy_runtime_api::client::result::DispatchFailure;
use mayfly_protocol::{ErrorCode, Failure, FunctionSize};
use std::error::Error;

/// The Invoke itself failed. The flag says whether the function may have run, and so may have been billed.
pub fn refused(error: &SdkError<InvokeError>) -> (Failure, bool) {
    let message = DisplayErrorContext(error).to_string();
    match error {
        SdkError::ConstructionFailure(_) => (Failure::Broken { message }, false),
        SdkError::ServiceError(service) => (service_error(service.err(), message), false),
        SdkError::DispatchFailure(dispatch) if never_left(dispatch) => (Failure::Unreachable { message }, false),
        // No answer, or half of one: the function may be running still.
        _ => (Failure::EnvironmentLost { message }, true),
    }
}

/// Whether the request was never sent: no connection came to be (refused, no route, no name, no handshake), or there was nothing to sign
/// it with.
fn never_left(dispatch: &DispatchFailure) -> bool {
    let Some(error) = dispatch.as_connector_error() else {
        return false;
    };
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut sending = causes.filter_map(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>());
    match sending.next() {
        Some(error) => error.is_connect(),
        // Before there was a client to send it.
        None => error.is_other() || error.is_user(),
    }
}

fn service_error(error: &InvokeError, message: String) -> Failure {
    match error {
        InvokeError::TooManyRequestsException(throttled) => {
            let seconds = throttled
                .retry_after_seconds
                .as_deref()
                .and_then(|text| text.parse::<u64>().ok());
            Failure::Throttled {
                retry_after_ms: seconds.map(|seconds| seconds.saturating_mul(1_000)),
            }
        }
        InvokeError::ResourceNotFoundException(_) => Failure::user(
            ErrorCode::NoNodesAvailable,
            format!("the executor function is not deployed: {message}"),
        ),
        InvokeError::RequestTooLargeException(_) => Failure::Broken { message },
        InvokeError::Ec2ThrottledException(_) => Failure::Throttled { retry_after_ms: None },
        _ => Failure::Transient { message },
    }
}

/// `X-Amz-Function-Error`: the function ended without an answer. The payload is AWS's account of it.
pub fn crashed(payload: &[u8], line: Option<ReportLine>, size: FunctionSize) -> Failure {
    #[derive(serde::Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Account {
        error_type: String,
        error_message: String,
    }
    let account: Account = serde_json::from_slice(payload).unwrap_or_default();
    let message = format!(
        "{}: {} ({} MB)",
        account.error_type,
        account.error_message,
        size.memory_mb()
    );
    let killed = account.error_message.contains("signal: killed");
    match account.error_type.as_str() {
        "Sandbox.Timedout" => Failure::TimedOut { message },
        _ if account.error_message.contains("Task timed out") => Failure::TimedOut { message },
        _ if killed && line.is_some_and(ReportLine::is_memory_exhausted) => Failure::NeedsMemory { message },
        _ if killed => Failure::EnvironmentLost { message },
        _ => Failure::Broken { message },
    }
}
