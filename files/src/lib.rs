//! What files say of themselves, and how far it may be believed: footers of Parquet, records and headers of text. The catalog plans by
//! it, the executor reads by it: both must believe the same.
//!
//! It leaves out how files are fetched (see `catalog`, `fragment`) and what is pruned by footers (see `plan`, DataFusion).

mod evolve;
mod plain;
pub mod text;
mod trust;

pub use evolve::{read_as, union};
pub use plain::{plain_schema, schema};
pub use trust::trusted;
