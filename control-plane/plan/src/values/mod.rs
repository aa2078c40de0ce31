//! Where expressions mean something else in Trino than in DataFusion, they are planned as functions of ours that mean it (`fragment`'s
//! `trino`). The rules are in `docs/values.md`.
//!
//! ```text
//! operator    what gives another type: while the statement becomes a plan
//! named_cast  casts with names of their own: likewise
//! types       what a type's name stands for: likewise
//! arguments   types of some functions' arguments: before types are coerced
//! mixed       floats beside decimals: likewise
//! outward     outer columns of subqueries beside set operations: likewise
//! rows        comparisons of rows, field by field: once types are coerced
//! arithmetic  what gives the same type, and fails where DataFusion wraps: once types are coerced
//! casts       what rounds, and what goes by local time: likewise
//! floats      NaN and -0.0 in comparisons and as keys: likewise
//! ```

mod arguments;
mod arithmetic;
mod casts;
mod floats;
mod mixed;
mod named_cast;
mod operator;
mod outward;
pub(crate) mod rows;
mod types;
mod walk;

use crate::rewrite::empty_sets::EmptySets;
use crate::rewrite::unnest::Unnest;
use arguments::Arguments;
use arithmetic::CheckedArithmetic;
use casts::Casts;
use datafusion::execution::SessionStateBuilder;
use datafusion::optimizer::Analyzer;
use floats::Floats;
use mixed::FloatsMeetDecimals;
use operator::Operators;
use outward::OuterTypes;
use rows::Rows;
use std::sync::Arc;
use types::Types;

/// A session that plans Trino's values. Functions must be there already.
pub(crate) fn planned_by(mut builder: SessionStateBuilder) -> SessionStateBuilder {
    // The first planner that knows an operator counts.
    builder
        .expr_planners()
        .get_or_insert_default()
        .insert(0, Arc::new(Operators));
    let functions = builder.scalar_functions().get_or_insert_default();
    functions.extend([arguments::nullif(), named_cast::function()]);
    let options = builder.config().get_or_insert_default().options();
    let zone = options.execution.time_zone.clone().unwrap_or_else(|| "UTC".to_owned());
    let mut rules = Analyzer::new().rules;
    rules.insert(0, Arc::new(Arguments));
    rules.insert(1, Arc::new(FloatsMeetDecimals));
    rules.insert(2, Arc::new(OuterTypes));
    // Joins that subqueries become compare values, too, and what a subquery computes of no row is seen before operators are functions.
    rules.push(Arc::new(EmptySets));
    rules.push(Arc::new(Rows::BesideSubqueries));
    rules.push(Arc::new(Unnest));
    rules.push(Arc::new(Rows::Wherever));
    builder
        .with_analyzer_rules(rules)
        .with_type_planner(Arc::new(Types { zone }))
        .with_analyzer_rule(Arc::new(CheckedArithmetic))
        .with_analyzer_rule(Arc::new(Casts))
        .with_analyzer_rule(Arc::new(Floats))
}
