//! Joins on keys of which some agree also where both are NULL.
//!
//! Such a key becomes two that are compared plainly: whether it is NULL, and a value that stands for NULL. DataFusion knows joins in which
//! NULL equals NULL, but then in all keys, and most of these joins have plain ones as well.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{NullEquality, Result, ScalarValue};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Join, JoinConstraint, JoinType, LogicalPlan, binary_expr, lit, when,
};
use datafusion::logical_expr::{Operator, utils::conjunction};
use mayfly_fragment::trino::float;
use std::sync::Arc;

/// Two expressions that must agree, one of each side.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub left: Expr,
    pub right: Expr,
    /// NULL agrees with NULL.
    pub null_safe: bool,
}

impl Pair {
    pub fn plain(left: Expr, right: Expr) -> Pair {
        Pair {
            left,
            right,
            null_safe: false,
        }
    }
}

pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    join_type: JoinType,
    pairs: &[Pair],
    filter: Vec<Expr>,
) -> Result<LogicalPlan> {
    let mut keys = Vec::new();
    let mut filter = filter;
    for pair in pairs {
        add(pair, &left, &right, &mut keys, &mut filter)?;
    }
    let filter = conjunction(filter);
    // A join without any condition is written as one that is always true.
    let filter = match (keys.is_empty(), filter, join_type) {
        (true, None, JoinType::Inner) => None,
        (true, None, _) => Some(lit(true)),
        (_, filter, _) => filter,
    };
    Ok(LogicalPlan::Join(Join::try_new(
        Arc::new(left),
        Arc::new(right),
        keys,
        filter,
        join_type,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    )?))
}

fn add(
    pair: &Pair,
    left: &LogicalPlan,
    right: &LogicalPlan,
    keys: &mut Vec<(Expr, Expr)>,
    filter: &mut Vec<Expr>,
) -> Result<()> {
    let (one, other) = (pair.left.clone(), pair.right.clone());
    if !pair.null_safe {
        keys.push((one, other));
        return Ok(());
    }
    let data_type = one.get_type(left.schema())?;
    if !(one.nullable(left.schema())? && other.nullable(right.schema())?) {
        keys.push((same_value(one, &data_type), same_value(other, &data_type)));
        return Ok(());
    }
    match stand_in(&data_type)? {
        Some(stand_in) => {
            let values = (not_null(one.clone(), &stand_in)?, not_null(other.clone(), &stand_in)?);
            keys.push((same_value(values.0, &data_type), same_value(values.1, &data_type)));
            keys.push((one.is_null(), other.is_null()));
        }
        None => filter.push(binary_expr(one, Operator::IsNotDistinctFrom, other)),
    }
    Ok(())
}

/// A float that means a value of the outer side, whichever it is: NaN is one of them, and both zeros are one. It equals nothing otherwise.
fn same_value(expr: Expr, data_type: &DataType) -> Expr {
    match data_type {
        DataType::Float32 | DataType::Float64 => float::key().call(vec![expr]),
        _ => expr,
    }
}

fn not_null(expr: Expr, stand_in: &ScalarValue) -> Result<Expr> {
    when(expr.clone().is_null(), lit(stand_in.clone())).otherwise(expr)
}

/// A value of this very type, names of its fields included.
fn stand_in(data_type: &DataType) -> Result<Option<ScalarValue>> {
    let Ok(value) = ScalarValue::new_default(data_type) else {
        return Ok(None);
    };
    let value = value.cast_to(data_type)?;
    Ok((!value.is_null() && value.data_type() == *data_type).then_some(value))
}
