//! SQL text → statements of ours. Everything that a user may write is decided here: what is a query, what is a command, and what is
//! refused, before DataFusion sees it.

mod command;
mod format;
mod names;
mod parse;
mod quoted;
mod statement;
mod token;
mod view;

pub(crate) use names::OutputNames;
pub(crate) use parse::parse;
pub(crate) use statement::{
    Command, ExplainForm, NewTableStatement, NewViewStatement, QueryStatement, Show, Statement,
};
pub(crate) use view::parse_body;
