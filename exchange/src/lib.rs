//! Shuffle and result objects: their bytes, how they are written, how they are read. What they are called is `protocol::key`.
//!
//! One immutable object per task attempt, partition-major, in checksummed blocks; `docs/formats/exchange.md` draws it. Arrow in, Arrow out,
//! no DataFusion: which row belongs to which partition is the caller's business (see `fragment`), which object counts is the scheduler's.

mod error;
mod format;
mod read;
mod result;
mod writer;

pub use error::ExchangeError;
pub use format::footer::{Footer, read_footer};
pub use read::{BatchStream, ReadSettings, read};
pub use result::{Position, ResultReader};
pub use writer::{Writer, WriterSettings};

#[cfg(test)]
mod sample;
