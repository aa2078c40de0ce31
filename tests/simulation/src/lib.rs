//! The real scheduler and the real bill in a modelled cloud, driven by one seed and judged by the auditor.
//!
//! A seed decides everything: the queries, the faults and how likely each is, latencies, contents, cancels. Time is the event heap's,
//! so an hour passes in a millisecond. Left out: plans and rows (their place is taken by [`content`]), and the coordinator's own
//! death, which the journal will bring.
//!
//! ```text
//!   graphs ──▶ Scheduler ──Invoke──▶ cloud ──answers──▶ event heap ──▶ Scheduler
//!                  │                   │ bucket              │
//!                  └──── every fact ───┴──────▶ Auditor ◀────┘
//! ```

pub mod campaign;
pub mod coverage;
pub mod world;

mod cloud;
mod content;
mod delivery;
mod executor;
mod faults;
mod graphs;
mod heap;
mod oracle;
mod planned;
mod random;
mod trace;

pub use campaign::{Campaign, Report};
pub use coverage::Coverage;
pub use world::{Run, run};
