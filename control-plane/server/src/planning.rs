//! Planning in processes of their own. DataFusion's optimizer cannot be interrupted, folds constants of any size, and aborts its process
//! over some hostile footers: a process can be bounded in memory, ended at a deadline or a cancel, and lost without losing the server.
//!
//! ```text
//! server: Planners ── turns ── Process ═ stdin, stdout ═ planner: serve_planner ── Planner
//! ```
//! Leaves out how a statement is planned, which is `plan`'s, and where the catalog is, which whoever starts a planner tells it.

mod deadline;
mod death;
mod frame;
mod limit;
mod planner;
mod pool;
mod process;
mod turns;
mod wire;

pub(crate) use deadline::Deadline;
pub use planner::{PlannerPort, serve_planner};
pub use pool::PlannerProgram;
pub use turns::Planners;
