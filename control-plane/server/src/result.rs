//! The documents of the protocol: one page of a query as Trino's clients read it. Leaves out where rows come from.

mod cost;
mod error;
mod frame;
mod page;
mod shown;
mod stats;

pub use error::ErrorDocument;
pub use frame::{Content, Frame, refusal};
pub use page::Page;
pub use shown::Shown;
pub use stats::Counters;
