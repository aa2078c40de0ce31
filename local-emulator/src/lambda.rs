//! Lambda: synchronous and asynchronous Invoke in front, real processes on the Runtime API behind. Functions come from
//! the settings and from the API.

mod code;
mod environment;
mod fault;
mod function;
mod invoke_api;
mod latency;
mod launcher;
mod manage_api;
mod outcome;
mod output;
mod pool;
mod quota;
mod ramp;
mod registry;
mod report;
mod retry;
mod runtime_api;
mod service;
mod signal;
mod strike;
mod watchdog;

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;

pub use fault::{KillMoment, LambdaFault};
pub(crate) use function::Function;
pub(crate) use invoke_api::InvokeApi;
pub(crate) use manage_api::ManageApi;
pub(crate) use pool::{Pool, PoolSettings};
pub(crate) use retry::Destination;
pub use retry::EventSettings;
pub(crate) use service::LambdaService;
