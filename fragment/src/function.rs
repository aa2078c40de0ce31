//! Functions that carry what DataFusion's protobuf of a window expression drops: FILTER of an aggregate, IGNORE NULLS and the
//! direction of a window function. Without them an executor would compute something else than was asked.
//!
//! They wrap DataFusion's own and compute nothing themselves; `excluding` computes those of frames that DataFusion does not have, `seeded`
//! stands in for functions that may not depend on chance, `percentile` for one that reads only the first of the states that it merges,
//! `ordered` for those that demand what they do themselves, `guard` bounds what a call may make (as `product` foretells it) and catches its
//! panics, `shifted` looks back as far as a row says, `single_row` is the check of scalar subqueries, `sliding` adds up what moves through a frame, and `trino` stands for those whose answers are others in Trino. Left out: which
//! expressions need them (see `plan`).

pub mod directed;
pub mod excluding;
pub mod filtered;
pub mod guard;
pub mod held;
pub mod ordered;
pub mod percentile;
pub mod product;
pub mod seeded;
pub mod shifted;
pub mod single_row;
pub mod sliding;
pub mod trino;

use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{AggregateUDF, WindowUDF};
use std::sync::Arc;

/// The aggregate of this name.
pub fn aggregate(name: &str) -> Option<Arc<AggregateUDF>> {
    let ours = trino::aggregates()
        .into_iter()
        .chain(percentile::PercentileCont::function());
    ours.chain(SessionStateDefaults::default_aggregate_functions())
        .find(|function| function.name() == name)
        .or_else(|| sliding::Sliding::named(name))
}

/// DataFusion's aggregate of this name.
fn datafusion_aggregate(name: &str) -> Option<Arc<AggregateUDF>> {
    let known = SessionStateDefaults::default_aggregate_functions();
    known.into_iter().find(|function| function.name() == name)
}

/// DataFusion's window function of this name.
fn window(name: &str) -> Option<Arc<WindowUDF>> {
    let known = SessionStateDefaults::default_window_functions();
    known.into_iter().find(|function| function.name() == name)
}
