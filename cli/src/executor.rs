//! The other life of this binary: under the Lambda runtime's environment it is an executor, so that a local cloud needs no second file.

use std::process::ExitCode;

/// Lambda sets it for every function process, and nothing else does.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

pub fn is_called_for() -> bool {
    std::env::var_os(RUNTIME_API).is_some()
}

pub fn become_one() -> ExitCode {
    ExitCode::FAILURE
}
