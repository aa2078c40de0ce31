//! The real scheduler and the real bill in a modelled cloud, driven by one seed and judged by the auditor.
//!
//! A seed decides everything: the queries, the faults and how likely each is, latencies, contents, cancels. Time is the event heap's,
//! so an hour passes in a millisecond. One to three coordinators share the queries; each crashes, stands still and has a wrong clock
//! now and then, and another goes on from the journal. Left out: plans and rows (their place is taken by [`content`]).
//!
//! ```text
//!   graphs ──▶ Scheduler ──Invoke──▶ cloud ──answers──▶ event heap ──▶ Scheduler
//!               │     │                │ bucket             ▲  │
//!               │     └─records─▶ shelf (the journals) ─────┘  │
//!               └───────── every fact ─▶ Auditor, Chronicle ◀──┘
//! ```

pub mod campaign;
pub mod coverage;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod stragglers;
pub mod world;

mod cloud;
mod content;
mod coordinator;
mod delivery;
mod executor;
mod faults;
mod graphs;
mod heap;
mod mishaps;
mod oracle;
mod planned;
mod random;
mod shelf;
mod trace;

pub use campaign::{Campaign, Report};
pub use coverage::Coverage;
pub use trace::Tracing;
pub use world::{Run, run};

/// Half of what a seed does is make specs and reports and drop them again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
