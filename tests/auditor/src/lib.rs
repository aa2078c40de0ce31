//! Judges a scheduler from outside: what was submitted, launched, answered and concluded, and nothing else.
//!
//! It depends on `protocol` alone. It has no idea how a scheduler decides, so it cannot share a mistake with it. It is told every
//! fact in the order in which the scheduler saw it or decided it, and answers with the first [`Violation`].
//!
//! What must hold:
//! - each query ends exactly once, by its deadline, for a reason that was seen;
//! - nothing is launched after a query's end or cancel, nor beyond the concurrency limit, nor beyond a retry budget;
//! - a spec reads what its task was planned to read, from outputs that were published and reported;
//! - a result derives from one version of each output, and each partition is in it exactly once;
//! - the bill is the sum over everything that was delivered, and bounds for what never was;
//! - no object that a result or a spec names has been given up for deletion.

#![warn(missing_docs)]

mod bills;
mod budget;
mod history;
mod launch;
mod lineage;
mod outcome;
mod regroup;
mod violation;

mod alternative;
mod auditor;

pub use auditor::{Auditor, Bounds};
pub use violation::Violation;

#[cfg(test)]
mod tests;
