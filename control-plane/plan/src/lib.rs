//! SQL → stages. DataFusion parses and optimizes; what is cut where, into how many tasks, is decided here.
//!
//! ```text
//! text → sql → logical → rewrite/join_order → physical → rewrite/broadcast → rewrite/exchange → stage/cut → stage/split → StageGraph
//! ```
//!
//! Each rewrite leaves a plan that still runs on one node. Table rows are never read here: only lists, footers and catalog objects.
//! It leaves out when and where tasks run (see `schedule`) and how (see `executor`).

mod cardinality;
mod command;
mod context;
mod error;
mod estimate;
mod explain;
mod growing;
pub mod in_process;
mod information;
pub mod interval;
pub mod learn;
mod limits;
mod lists;
mod misread;
mod outer;
mod planned;
mod planner;
mod property;
mod provider;
pub mod quantity;
mod resolve;
mod rewrite;
mod rows;
mod series;
mod session;
mod settings;
mod show;
mod sql;
mod stage;
mod statistics;
mod subquery;
mod summary;
mod table_of_text;
mod types;
mod values;
mod views;
mod watch;
mod weight;
mod zone;

pub use planned::{Fragment, OtherText, PlanText, Planned, PlannedQuery, Purpose};
pub use planner::Planner;
pub use session::{Session, SessionChange};
pub use settings::PlannerSettings;
pub use sql::named_places;
pub use types::type_name;
pub use watch::Watch;
