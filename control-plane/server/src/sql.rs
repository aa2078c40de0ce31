//! The statements that only the client and the server know about: PREPARE, EXECUTE, DEALLOCATE. Everything else goes to the planner
//! as it came. No parsing beyond tokens: what a statement means is the planner's.

mod lexer;
mod parameters;
mod prepared;
mod query;

pub use prepared::{Change, Resolved, resolve};
pub use query::is_query;

#[cfg(test)]
mod tests;
