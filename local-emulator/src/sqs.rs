//! SQS: standard queues in memory, spoken to in JSON 1.0 or by query. No FIFO queues, no access policies; queues end with the emulator.

mod actions;
mod api;
mod attributes;
mod batch;
mod digest;
mod door;
mod error;
mod fault;
mod limits;
mod messages;
mod query;
mod queue;
mod received;
mod redrive;
mod wire;

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;

pub(crate) use api::SqsApi;
pub use fault::SqsFault;
