//! Lambda: synchronous and asynchronous Invoke in front, real processes on the Runtime API behind. Functions are settings; there is no
//! call to create or change one.

mod environment;
mod fault;
mod function;
mod invoke_api;
mod launcher;
mod outcome;
mod output;
mod pool;
mod report;
mod runtime_api;
mod service;
mod signal;
mod watchdog;

#[cfg(test)]
mod tests;

pub use fault::{KillMoment, LambdaFault};
pub(crate) use function::Function;
pub(crate) use invoke_api::InvokeApi;
pub(crate) use pool::{Pool, PoolSettings};
pub(crate) use service::LambdaService;
