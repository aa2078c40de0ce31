//! What a journal means, and how it is appended to: pure, so that the driver and the simulation share every decision. Reads and writes
//! nothing itself. What winners in it count for is decided where winners are: see `query::resume`.
//!
//! ```text
//! start    PUT 0 [Accepted, Epoch 1] ──▶ Event::Submitted
//! resume   read to the end ──▶ orphan? ──▶ PUT n [Epoch e+1] ──▶ list objects ──▶ Event::Resumed
//! run      Command::Journal ──▶ take_entries ──▶ PUT ──▶ Event::Journaled            (or Event::Fenced)
//! end      Command::Finish  ──▶ take_entries + Final ──▶ PUT ──▶ deliver ──▶ Event::Ended
//! ```

mod append;
mod standing;

pub use append::{Appender, Put, Role, Step};
pub use standing::{Standing, State};

#[cfg(test)]
mod tests;
