//! The Lambda custom runtime: sealed specs in, sealed answers out, until the platform ends the process.

use crate::{Environment, EnvironmentSettings, execute, logging};
use lambda_runtime::{LambdaEvent, service_fn};
use mayfly_protocol::envelope::{self, TaskAnswer};
use mayfly_protocol::{Failure, Meter, TaskSpec, env};
use serde_json::value::RawValue;
use std::convert::Infallible;
use std::time::Duration;

/// Why an executor ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("not a Lambda environment: {variable} is not set")]
    NotLambda { variable: &'static str },
    #[error("the runtime interface broke")]
    Interface(#[source] lambda_runtime::Error),
    #[error("an attempt could not be stopped")]
    LeftRunning,
}

/// What the runtime interface reads, and would panic without.
const VARIABLES: [&str; 4] = [
    env::AWS_LAMBDA_RUNTIME_API,
    env::AWS_LAMBDA_FUNCTION_NAME,
    env::AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    env::AWS_LAMBDA_FUNCTION_VERSION,
];

/// Time for an answer to be sent before the process ends.
const ANSWER_GRACE: Duration = Duration::from_millis(250);

/// Serves invocations until the platform ends the process.
pub async fn run() -> Result<(), RunError> {
    let missing = VARIABLES
        .into_iter()
        .find(|variable| std::env::var_os(variable).is_none());
    if let Some(variable) = missing {
        return Err(RunError::NotLambda { variable });
    }
    logging::init();
    let environment = Environment::new(EnvironmentSettings::from_env());
    let handler = service_fn(|event: LambdaEvent<Box<RawValue>>| {
        let environment = environment.clone();
        async move { Ok::<_, Infallible>(answer(&event.payload, &environment).await) }
    });
    tokio::select! {
        ended = lambda_runtime::run(handler) => ended.map_err(RunError::Interface),
        () = ended_unclean(&environment) => Err(RunError::LeftRunning),
    }
}

async fn ended_unclean(environment: &Environment) {
    environment.left_running().await;
    tokio::time::sleep(ANSWER_GRACE).await;
}

/// One invocation. The payload is read once, past the runtime's own parser.
async fn answer(payload: &RawValue, environment: &Environment) -> Box<RawValue> {
    let answer = match envelope::open::<TaskSpec>(payload.get().as_bytes()) {
        Ok(spec) => execute(spec, environment).await,
        Err(error) => TaskAnswer::Failed {
            failure: Failure::Broken {
                message: format!("the order cannot be read: {}", crate::failure::describe(&error)),
            },
            meter: Meter::default(),
        },
    };
    let text = String::from_utf8(envelope::seal(&answer)).expect("JSON is UTF-8");
    RawValue::from_string(text).expect("a sealed message is JSON")
}
