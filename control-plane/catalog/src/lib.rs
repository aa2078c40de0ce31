//! Tables, as objects in S3: what a table is, where it lies, which files it has now and what their footers say.
//!
//! ```text
//! catalog/{catalog}/{schema}/.schema.json        the schema exists
//! catalog/{catalog}/{schema}/{table}.json        definition: location, format, columns; or a view's query. Created if absent
//! catalog/{catalog}/{schema}/{table}.files.json  footers by ETag, so that a restarted server need not read them again. A cache
//! ```
//!
//! Files are listed when a query is planned, never remembered: a new file appears and a changed one is seen. It leaves out SQL and
//! pruning (see `plan`) and reading rows (see `fragment`).

mod catalog;
mod create;
mod definition;
mod direct;
mod error;
mod files;
mod footer;
mod learned;
mod location;
mod name;
mod nearest;
mod partition;
mod pattern;
mod place;
mod sample;
mod table;
mod whole;

pub use catalog::{CATALOG_NAME, Catalog, DEFAULT_SCHEMA};
pub use create::{NewTable, NewView};
pub use definition::{Relation, TableDefinition, ViewDefinition};
pub use direct::{DIRECT_SCHEMA, DirectFiles};
pub use learned::{LearnedColumn, LearnedStatistics};
pub use location::{Location, Locations};
pub use name::TableRef;
pub use nearest::nearest;
pub use table::{Footer, RowGroup, Sample, Table, TableFile};
