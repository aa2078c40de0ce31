//! SQS: standard queues in memory, spoken to in JSON 1.0, with redrive to dead-letter queues. No FIFO queues, no policies; queues end with
//! the emulator.

mod actions;
mod api;
mod attributes;
mod batch;
mod digest;
mod door;
mod error;
mod fault;
mod messages;
mod queue;
mod wire;

#[cfg(test)]
mod tests;

pub(crate) use api::SqsApi;
pub use fault::SqsFault;
