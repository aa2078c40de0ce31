//! SQL text → statements of ours. Everything that a user may write is decided here: what is a query, what is a command, and what is
//! refused, before DataFusion sees it.

mod casts;
mod clauses;
mod command;
mod direct;
mod duplicates;
mod exclusion;
mod fields;
mod format;
mod groupings;
mod guard;
mod literal;
mod look;
mod merge;
mod moment;
mod names;
mod number;
mod outward;
mod parse;
mod quoted;
mod regroup;
mod rows;
mod sample;
mod semi;
mod simplify;
mod statement;
mod syntax;
mod template;
mod token;
mod trims;
mod types;
mod values;
mod view;
mod window;

pub(crate) use casts::NAMED_CAST;
pub(crate) use clauses::check_clauses;
pub(crate) use direct::NamedFiles;
pub use direct::named_places;
pub(crate) use duplicates::written;
pub(crate) use exclusion::{MARK as FRAME_MARK, read as exclusion};
pub(crate) use look::wrapped;
pub(crate) use merge::{is_needed as merges_columns, merge as merge_columns};
pub(crate) use names::OutputNames;
pub(crate) use parse::parse;
pub(crate) use sample::{MARK as SAMPLE_MARK, Marked};
pub(crate) use statement::{
    Command, ExplainForm, NewTableStatement, NewViewStatement, QueryStatement, Show, Statement,
};
pub(crate) use view::parse_body;
