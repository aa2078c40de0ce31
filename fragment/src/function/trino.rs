//! Functions and operators whose answers follow Trino's documentation where DataFusion's differ. They travel by name, so that the planner,
//! constant folding and every executor compute the same; the rules are in `docs/values.md`.
//!
//! Left out: where they take the place of DataFusion's (see `plan`'s `values`). Operators have names that no identifier has.

pub mod abs;
pub mod checked;
pub mod date_format;
pub mod date_trunc;
pub mod divide;
pub mod extreme;
pub mod finished;
pub mod float;
pub mod integer;
pub mod interval;
pub mod list;
pub mod now;
pub mod regexp_replace;
pub mod split_part;
pub mod strict;
pub mod substr;
pub mod sum;
pub mod text;
pub mod varchar;
pub mod zone;

use checked::Checked;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{AggregateUDF, ReturnFieldArgs, ScalarUDF, ScalarUDFImpl};
use std::sync::Arc;
use zone::Change;

/// What the planner puts in for operators, and what stands under DataFusion's names.
pub fn scalars() -> Vec<Arc<ScalarUDF>> {
    let mut all: Vec<Arc<ScalarUDF>> = Checked::ALL.into_iter().map(Checked::function).collect();
    all.extend(float::all());
    all.extend(integer::ToInteger::all());
    all.extend([false, true].map(varchar::function));
    all.extend([Change::Shown, Change::Placed, Change::Local].map(zone::function));
    all.extend(strict::all());
    all.extend(list::all());
    all.extend([
        abs::function(),
        date_format::function(),
        date_trunc::function(),
        now::function(),
    ]);
    all.extend([regexp_replace::function(), split_part::function(), substr::function()]);
    all.extend([divide::function(), text::function()]);
    all.extend([interval::Scale::Times, interval::Scale::By].map(interval::function));
    all
}

/// What stands under DataFusion's names.
pub fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let finished = finished::Finished::all();
    finished
        .into_iter()
        .chain(extreme::Extreme::all())
        .chain([sum::function()])
        .collect()
}

/// The result of a function that is NULL where an argument is, and only there.
fn strict_field(function: &dyn ScalarUDFImpl, args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
    let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
    Ok(Arc::new(Field::new(
        function.name(),
        function.return_type(&types)?,
        nullable,
    )))
}
