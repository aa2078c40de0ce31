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
//! - a straggler gets one copy, when it is late and only for so much money;
//! - what failed is launched again when it should be and as large as it should be, and no slot stays free while it waits;
//! - the journal is told before too much is at risk;
//! - where nothing answers any more the query ends;
//! - no object that a result or a spec names has been given up for deletion, and every other one is, once.
//!
//! An [`Auditor`] follows one coordinator, with its clock. A [`Chronicle`] follows what all of them write:
//! - records are numbered without gaps, each number is written once, and never by an owner that has lost the query;
//! - a winner in a journal is its task's only one, and was computed from the winners before it;
//! - a query ends once, every client gets that one answer, and once nothing goes wrong any more it gets it in time;
//! - a coordinator that resumes a query does not run again what the journal holds.

#![warn(missing_docs)]

mod again;
mod bills;
mod budget;
mod by_task;
mod copies;
mod fleet;
mod fold;
mod garbage;
mod history;
mod launch;
mod lineage;
mod outcome;
mod regroup;
mod risk;
mod standing;
mod turns;
mod violation;
mod width;

mod alternative;
mod auditor;
mod chronicle;

pub use auditor::{Auditor, Bounds};
pub use chronicle::{Chronicle, Inheritance};
pub use copies::Copying;
pub use violation::Violation;

#[cfg(test)]
mod tests;
