//! SQL → stages. DataFusion parses and optimizes; what is cut where, into how many tasks, is decided here.
//!
//! ```text
//! text → sql → logical → physical → rewrite/broadcast → rewrite/exchange → stage/cut → stage/split → StageGraph
//! ```
//!
//! Each rewrite leaves a plan that still runs on one node. Table rows are never read here: only lists, footers and catalog objects.
//! It leaves out when and where tasks run (see `schedule`) and how (see `executor`).

mod context;
mod error;
mod planned;
mod planner;
mod property;
mod session;
mod settings;
mod sql;

pub use planned::{PlanText, Planned, PlannedQuery};
pub use planner::Planner;
pub use session::{Session, SessionChange};
pub use settings::PlannerSettings;
