//! What the planner builds and the executor runs: the plan nodes that stand where a stage meets its tables and its exchanges, the
//! codec that ships them, and the binding of a decoded plan to a task's splits and inputs.
//!
//! ```text
//!  planner                      wire                    executor
//!  SplitScanExec            ┌─────────┐   decode     DataSourceExec over the task's splits
//!  ExchangeExec  ── cut ──▶ │  bytes  │ ───────────▶ ShuffleReadExec over exchange streams
//!  ShuffleWriteExec         └─────────┘     bind     ShuffleWriteExec, driven by `write`
//! ```
//!
//! Left out: where to cut and how to size (see `plan`), the bytes of shuffle objects (see `exchange`), budgets and deadlines (see
//! `executor`).

mod bind;
mod codec;
mod error;
mod function;
mod node;
mod observe;
mod orders;
mod push_down;
mod sample;
mod session;
mod write;

pub use bind::footer::{FOOTER_BYTES_MAX, FooterCache};
pub use bind::interrupt::{Interrupt, Interrupted};
pub use bind::location::AllowedLocations;
pub use bind::reader::{ScanMeter, SplitError, SplitReaderFactory};
pub use bind::scan::bind_scan;
pub use bind::{ByName, Sources, bind};
pub use codec::{PLAN_VERSION, decode, encode};
pub use error::FragmentError;
pub use function::directed::Directed;
pub use function::excluding::{Excluding, Exclusion, Frame as ExcludingFrame, Inner as ExcludingInner};
pub use function::filtered::Filtered;
pub use function::held::{Around, Held};
pub use function::product;
pub use function::shifted::Shifted;
pub use function::single_row::SingleRow;
pub use function::sliding::Sliding;
pub use function::trino;
pub use node::exchange::ExchangeExec;
pub use node::fence::FenceExec;
pub use node::no_rows::NoRowsExec;
pub use node::shuffle_read::ShuffleReadExec;
pub use node::shuffle_write::{OutputPartitioning, ShuffleWriteExec};
pub use node::split_scan::{SCAN_PARTITIONS_DEFAULT, SplitScanExec};
pub use observe::{Observed, observe};
pub use orders::in_needed_orders;
pub use push_down::PushDown;
pub use sample::{Sample, SampleUnit};
pub use session::{
    execution_config, runtime_env_builder, session_config, session_state_builder, set_values, task_state_builder,
};
pub use write::{WriteError, panic_message, write};
