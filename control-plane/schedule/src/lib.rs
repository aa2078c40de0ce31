//! StageGraph × Event → Command: decides what to run next, and never runs anything.
//!
//! No async, no clock, no socket, no thread, no entropy: time is an argument and chance is a seed, so the same code runs under AWS
//! and in a simulator. The driver does the waiting, `cost` does the pricing.
//!
//! ```text
//!            handle(now, Event)                      poll_command() until None
//!  driver ─────────────────────▶  Scheduler  ─────────────────────────────────▶  driver
//!            handle_timeout(now)                     poll_timeout()
//! ```
//! After every `handle` and `handle_timeout`: poll commands until there is none, then ask for the next timeout. Launches happen in
//! `poll_command`, one spec at a time, so that memory holds one spec however many slots are free.
//!
//! A task's life:
//!
//! ```text
//! Planned ──inputs complete──▶ Queued ──slot──▶ Running ──report accepted──▶ Done
//!    ▲                           ▲                │                            │
//!    │                           └──── retry ─────┤                            │
//!    └──────── an input was lost ─────────────────┴──── own output was lost ───┘
//! ```

#[macro_use]
pub mod mutant;

pub mod command;
pub mod counters;
pub mod event;
mod group;
pub mod journal;
pub mod pin;
pub mod progress;
pub mod settings;
pub mod speculation;
pub mod usage;

mod scheduler;

mod admission;
mod attempt;
mod bind;
mod closed;
mod core;
mod query;
mod random;
mod retry;
mod stage;
mod task;
mod timers;

pub use command::Command;
pub use counters::Counters;
pub use event::Event;
pub use mayfly_protocol::QueryLimits;
pub use pin::pin_digest;
pub use progress::{Progress, Skew, StageProgress};
pub use scheduler::Scheduler;
pub use settings::Settings;
pub use speculation::Speculation;
pub use usage::Usage;

#[cfg(test)]
mod tests;
