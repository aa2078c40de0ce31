//! Casts that mean something else in Trino, once types are coerced: to integers they round; to and from timestamps with a zone they go by
//! the local time, of the value's zone or the session's; and a timestamp's text has the digits of its type.

use super::walk;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan, ScalarUDF, TryCast, cast, lit};
use datafusion::optimizer::AnalyzerRule;
use mayfly_fragment::trino::integer::ToInteger;
use mayfly_fragment::trino::zone::Change;
use mayfly_fragment::trino::{text, zone};
use std::sync::Arc;

/// Runs after types were coerced.
#[derive(Debug)]
pub(super) struct Casts;

impl AnalyzerRule for Casts {
    fn name(&self) -> &'static str {
        "trino_casts"
    }

    fn analyze(&self, plan: LogicalPlan, options: &ConfigOptions) -> Result<LogicalPlan> {
        let session_zone = options.execution.time_zone.as_deref().unwrap_or("UTC");
        walk::expressions(plan, |expression, schema| recast(expression, schema, session_zone))
    }
}

fn recast(expression: Expr, schema: &DFSchema, session_zone: &str) -> Result<Transformed<Expr>> {
    let (value, target, is_try) = match &expression {
        Expr::Cast(Cast { expr, field }) => (expr, field.data_type(), false),
        Expr::TryCast(TryCast { expr, field }) => (expr, field.data_type(), true),
        _ => return Ok(Transformed::no(expression)),
    };
    let from = value.get_type(schema)?;
    if let Some(function) = ToInteger::instead_of(&from, target, is_try) {
        let arguments = vec![value.as_ref().clone()];
        return Ok(Transformed::yes(call(function, arguments)));
    }
    let value = || value.as_ref().clone();
    let recast = match (&from, target) {
        (DataType::Timestamp(..), DataType::Utf8) => call(text::function(), vec![value()]),
        (
            DataType::Timestamp(_, Some(_)),
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Time64(_) | DataType::Time32(_),
        ) => cast(call(zone::function(Change::Local), vec![value()]), target.clone()),
        (DataType::Timestamp(unit, None), DataType::Timestamp(_, Some(_))) => {
            placed(value(), *unit, target, session_zone)
        }
        (DataType::Date32, DataType::Timestamp(_, Some(_))) => {
            let midnight = cast(value(), DataType::Timestamp(TimeUnit::Second, None));
            placed(midnight, TimeUnit::Second, target, session_zone)
        }
        _ => return Ok(Transformed::no(expression)),
    };
    Ok(Transformed::yes(recast))
}

/// A local time of the session's zone. Where clocks are never changed a plain cast means the same, and statistics prune by it.
fn placed(local: Expr, unit: TimeUnit, target: &DataType, session_zone: &str) -> Expr {
    let never_changes = session_zone == "UTC" || session_zone.starts_with(['+', '-']);
    let instant = match never_changes {
        true => cast(local, DataType::Timestamp(unit, Some(session_zone.into()))),
        false => call(zone::function(Change::Placed), vec![local, lit(session_zone)]),
    };
    cast(instant, target.clone())
}

fn call(function: Arc<ScalarUDF>, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
}
