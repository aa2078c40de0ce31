//! A plan with exchanges → stages and tasks.
//!
//! ```text
//! prune      folders and footers × predicate → files and row groups that a scan must read
//! size       bytes → tasks of each stage
//! draft      the plan taken apart at its exchanges; boundaries between single tasks closed again
//! order      sorts that an exchange undid, done anew
//! late       scans that decode what their predicate needs first
//! split      row groups and partition ranges → tasks
//! divisible  inputs of which several tasks may share a partition
//! cut        drafts → encoded stages with their inputs
//! alternative  other plans for joins whose build side turns out small, and for what an empty input leaves nothing to do
//! ```

pub(crate) mod alternative;
pub(crate) mod cut;
mod divisible;
pub(crate) mod draft;
mod folders;
mod late;
mod order;
pub(crate) mod prune;
pub(crate) mod size;
mod split;
pub(crate) mod subquery;

pub(crate) use draft::with_children;
