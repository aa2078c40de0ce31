//! Turns a TaskSpec into a TaskReport. Stateless: whatever a warm environment keeps (connections, footers) only saves time.
//!
//! ```text
//! payload ─ lambda ─▶ TaskSpec ─ execute ─▶ attempt: plan ─▶ bind ─▶ write ─▶ publish ─▶ TaskAnswer ─▶ payload
//!                                   │        on a runtime of its own, gone before the answer
//!                                   └ memory, disk, deadline, panics
//! ```
//!
//! It has nothing to choose (the spec is complete) and cannot price (it counts). An error that can be named is an answer; the
//! platform sees a failure only where the process dies.

mod attempt;
mod budget;
mod door;
mod environment;
mod failure;
mod lambda;
mod logging;
mod usage;

pub use environment::{Environment, EnvironmentSettings};
pub use lambda::{RunError, run};

use mayfly_protocol::TaskSpec;
use mayfly_protocol::envelope::TaskAnswer;

/// Runs one attempt to its end. When it returns, nothing of the attempt runs any more, except where
/// [`Environment::is_clean`] says otherwise.
pub async fn execute(spec: TaskSpec, environment: &Environment) -> TaskAnswer {
    attempt::execute(spec, environment).await
}
