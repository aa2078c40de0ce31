//! The executor as Lambda runs it: a `provided.al2023` custom runtime. Everything is in the library.

use std::process::ExitCode;

/// One thread for the Runtime API; each attempt brings its own workers.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match mayfly_executor::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bootstrap: {error}");
            ExitCode::FAILURE
        }
    }
}
