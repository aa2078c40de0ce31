//! The other life of this binary: under the Lambda runtime's environment it is an executor, so that a local cloud needs no second file.

use crate::exit::chain;
use mayfly_protocol::env;
use std::process::ExitCode;

/// Lambda says so to every function process, and nothing else does.
pub fn is_called_for() -> bool {
    std::env::var_os(env::AWS_LAMBDA_RUNTIME_API).is_some()
}

/// Serves invocations until the platform ends the process. One thread for the Runtime API; each attempt brings its own workers.
pub fn become_one() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(mayfly_executor::run()).map_err(|error| chain(&error)),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("executor: {error}");
            ExitCode::FAILURE
        }
    }
}
