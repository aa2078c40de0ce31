//! SQS: standard queues in memory, spoken to in JSON 1.0. No FIFO queues, no policies, no dead-letter redrive; queues end with the emulator.

mod actions;
mod api;
mod attributes;
mod batch;
mod digest;
mod error;
mod fault;
mod messages;
mod queue;
mod wire;

#[cfg(test)]
mod tests;

pub(crate) use api::SqsApi;
pub use fault::SqsFault;
