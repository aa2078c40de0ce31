//! How many rows and bytes an operator yields: guesses for sizing, never for answers. Always an answer, where DataFusion's statistics
//! may have none.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::JoinType;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::union::UnionExec;
use std::sync::Arc;

/// Share of rows that pass a filter of which nothing else is known.
const SELECTIVITY: f64 = 0.2;

/// Groups per row of an aggregation of which nothing else is known.
const GROUPS_PER_ROW: f64 = 0.5;

/// Rows of a leaf of which nothing is known.
const ROWS_UNKNOWN: f64 = 1_000_000.0;

/// Bytes of a string or another value of varying width.
const VARIABLE_BYTES: usize = 24;

/// Bytes in memory over bytes in an exchange object, which is compressed.
pub(crate) const COMPRESSION: u64 = 2;

/// Bytes of all rows in memory.
pub(crate) fn bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    (rows(plan) * row_bytes(&plan.schema()) as f64) as u64
}

/// Bytes of all rows as exchange objects.
pub(crate) fn exchange_bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    bytes(plan) / COMPRESSION
}

/// Bytes that hash tables of joins and aggregations hold at the same time, at worst.
pub(crate) fn held_bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let own = match plan.downcast_ref::<HashJoinExec>() {
        Some(join) => likely_bytes(join.left(), f64::INFINITY),
        None => match plan.downcast_ref::<AggregateExec>() {
            Some(aggregate) => likely_bytes(plan, groups_max(aggregate)),
            None => 0,
        },
    };
    let below = plan.children().into_iter().map(held_bytes);
    below.fold(own, u64::saturating_add)
}

/// Where DataFusion knows of fewer rows, by the values that the keys of a join have, it is believed: what is decided by it can be made good.
fn likely_bytes(plan: &Arc<dyn ExecutionPlan>, rows_max: f64) -> u64 {
    let known = known_rows(plan).unwrap_or(f64::INFINITY);
    (rows(plan).min(known).min(rows_max) * row_bytes(&plan.schema()) as f64) as u64
}

/// As many groups as the grouped columns have values between their least and their greatest.
fn groups_max(aggregate: &AggregateExec) -> f64 {
    let statistics = StatisticsContext::new().compute(aggregate.input().as_ref(), &StatisticsArgs::new());
    let Ok(statistics) = statistics else {
        return f64::INFINITY;
    };
    let values = aggregate.group_expr().expr().iter().map(|(key, _)| {
        let column = key.downcast_ref::<Column>()?;
        let known = statistics.column_statistics.get(column.index())?;
        let (least, greatest) = (known.min_value.get_value()?, known.max_value.get_value()?);
        greatest.distance(least).map(|distance| distance as f64 + 1.0)
    });
    values.map(|values| values.unwrap_or(f64::INFINITY)).product()
}

/// Rows that the operator yields over all partitions.
pub(crate) fn rows(plan: &Arc<dyn ExecutionPlan>) -> f64 {
    let estimated = unlimited_rows(plan);
    plan.fetch().map_or(estimated, |fetch| estimated.min(fetch as f64))
}

fn unlimited_rows(plan: &Arc<dyn ExecutionPlan>) -> f64 {
    let children = plan.children();
    let sum = || children.iter().map(|child| rows(child)).sum::<f64>();
    if children.is_empty() {
        return known_rows(plan).unwrap_or(ROWS_UNKNOWN);
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return joined(*join.join_type(), rows(join.left()), rows(join.right()));
    }
    if plan.downcast_ref::<CrossJoinExec>().is_some() || plan.downcast_ref::<NestedLoopJoinExec>().is_some() {
        return children.iter().map(|child| rows(child).max(1.0)).product();
    }
    if plan.downcast_ref::<UnionExec>().is_some() {
        return sum();
    }
    let child = rows(children[0]);
    if plan.downcast_ref::<FilterExec>().is_some() {
        return known_rows(plan).map_or(child * SELECTIVITY, |known| known.min(child));
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return grouped(aggregate, plan, child);
    }
    if plan.downcast_ref::<ScalarSubqueryExec>().is_some() || children.len() == 1 {
        return child;
    }
    sum()
}

/// What DataFusion can tell from statistics.
fn known_rows(plan: &Arc<dyn ExecutionPlan>) -> Option<f64> {
    let statistics = StatisticsContext::new()
        .compute(plan.as_ref(), &StatisticsArgs::new())
        .ok()?;
    statistics.num_rows.get_value().map(|rows| *rows as f64)
}

fn grouped(aggregate: &AggregateExec, plan: &Arc<dyn ExecutionPlan>, child: f64) -> f64 {
    if aggregate.group_expr().is_empty() {
        return 1.0;
    }
    known_rows(plan).map_or(child * GROUPS_PER_ROW, |known| known.min(child))
}

/// A join on keys is taken to be one of a fact with its dimension: each row of the larger side finds about one partner.
fn joined(join: JoinType, left: f64, right: f64) -> f64 {
    match join {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => left,
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => right,
        JoinType::Full => left + right,
        _ => left.max(right),
    }
}

fn row_bytes(schema: &Schema) -> usize {
    let widths = schema.fields().iter().map(|field| width(field.data_type()));
    widths.sum::<usize>().max(1)
}

fn width(data_type: &DataType) -> usize {
    match data_type {
        DataType::Boolean => 1,
        DataType::Struct(fields) => fields.iter().map(|field| width(field.data_type())).sum(),
        other => other.primitive_width().unwrap_or(VARIABLE_BYTES),
    }
}

#[cfg(test)]
mod tests;
