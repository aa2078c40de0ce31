//! Lambda: synchronous and asynchronous Invoke in front, real processes on the Runtime API behind. Functions are settings; there is no
//! call to create or change one.

mod environment;
mod fault;
mod function;
mod invoke_api;
mod latency;
mod launcher;
mod outcome;
mod output;
mod pool;
mod ramp;
mod report;
mod retry;
mod runtime_api;
mod service;
mod signal;
mod strike;
mod watchdog;

#[cfg(test)]
mod tests;

pub use fault::{KillMoment, LambdaFault};
pub(crate) use function::Function;
pub(crate) use invoke_api::InvokeApi;
pub(crate) use pool::{Pool, PoolSettings};
pub(crate) use retry::Destination;
pub use retry::EventSettings;
pub(crate) use service::LambdaService;
