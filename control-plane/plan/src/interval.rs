//! Which units the intervals of a result can hold. Trino has one type for years and months and another for days to seconds, Arrow one for
//! both: what a query makes intervals from is said in the metadata of its result's fields, for intervals inside lists and rows in that
//! of the column. It leaves out how they are shown.

use arrow::datatypes::{DataType, Field, IntervalUnit, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};
use std::sync::Arc;

/// Key of a field's metadata: [`MONTHS`] or [`ANY_UNITS`]. A field without it holds days, hours and seconds.
pub const INTERVAL_UNITS: &str = "mayfly.interval_units";
/// Nothing but years and months.
pub const MONTHS: &str = "months";
/// Months and days alike, or nobody knows.
pub const ANY_UNITS: &str = "any";

/// What intervals are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    /// There is none.
    Nothing,
    Months,
    Time,
    Any,
}

impl Units {
    fn and(self, other: Units) -> Units {
        match (self, other) {
            (Units::Nothing, units) | (units, Units::Nothing) => units,
            (left, right) if left == right => left,
            _ => Units::Any,
        }
    }
}

/// The result's schema, its intervals marked with the units that the query can give them.
pub(crate) fn marked(schema: &SchemaRef, query: &LogicalPlan) -> SchemaRef {
    let has_intervals = |field: &Field| holds_intervals(field.data_type());
    if !schema.fields().iter().any(|field| has_intervals(field)) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().enumerate();
    let fields = fields.map(|(column, field)| match has_intervals(field) {
        true => mark(field, units(query, column)),
        false => field.as_ref().clone(),
    });
    Arc::new(Schema::new_with_metadata(
        fields.collect::<Vec<_>>(),
        schema.metadata().clone(),
    ))
}

fn mark(field: &Field, units: Units) -> Field {
    let units = match units {
        Units::Nothing | Units::Time => return field.clone(),
        Units::Months => MONTHS,
        Units::Any => ANY_UNITS,
    };
    let mut metadata = field.metadata().clone();
    metadata.insert(INTERVAL_UNITS.to_owned(), units.to_owned());
    field.clone().with_metadata(metadata)
}

/// Whether values of a type are, or hold, intervals whose units are not told by the type.
fn holds_intervals(data_type: &DataType) -> bool {
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) => true,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => holds_intervals(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| holds_intervals(field.data_type())),
        DataType::Dictionary(_, values) => holds_intervals(values),
        DataType::RunEndEncoded(_, values) => holds_intervals(values.data_type()),
        _ => false,
    }
}

/// Of the expression that makes the column, or of the whole query where it takes its intervals from elsewhere.
fn units(query: &LogicalPlan, column: usize) -> Units {
    match maker(query, column) {
        Some(made) if !reads_columns(made) => of_expr(made),
        _ => of_plan(query),
    }
}

/// The expression of a result's column in the topmost SELECT list.
fn maker(plan: &LogicalPlan, column: usize) -> Option<&Expr> {
    match plan {
        LogicalPlan::Projection(node) => node.expr.get(column),
        LogicalPlan::Sort(node) => maker(&node.input, column),
        LogicalPlan::Limit(node) => maker(&node.input, column),
        LogicalPlan::SubqueryAlias(node) => maker(&node.input, column),
        _ => None,
    }
}

fn reads_columns(expr: &Expr) -> bool {
    expr.exists(|part| {
        Ok(matches!(
            part,
            Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_)
        ))
    })
    .unwrap_or(true)
}

fn of_plan(plan: &LogicalPlan) -> Units {
    let mut found = Units::Nothing;
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            found = found.and(of_scan(scan));
        }
        node.apply_expressions(|expr| {
            found = found.and(of_expr(expr));
            Ok(TreeNodeRecursion::Continue)
        })
    });
    walked.map_or(Units::Any, |_| found)
}

/// A view's are those of its query; what a table holds, nobody knows.
fn of_scan(scan: &TableScan) -> Units {
    let fields = scan.projected_schema.fields();
    if !fields.iter().any(|field| holds_intervals(field.data_type())) {
        return Units::Nothing;
    }
    scan.source.get_logical_plan().map_or(Units::Any, |view| of_plan(&view))
}

/// Of all intervals that are made anew in an expression.
fn of_expr(expr: &Expr) -> Units {
    let mut found = Units::Nothing;
    let walked = expr.apply(|part| {
        let (units, on) = match part {
            Expr::Literal(value, _) => (of_value(value), TreeNodeRecursion::Continue),
            Expr::Cast(cast) => of_cast(&cast.expr, cast.field.data_type()),
            Expr::TryCast(cast) => of_cast(&cast.expr, cast.field.data_type()),
            Expr::ScalarFunction(call) if call.name() == "arrow_cast" => (Units::Any, TreeNodeRecursion::Continue),
            _ => (Units::Nothing, TreeNodeRecursion::Continue),
        };
        found = found.and(units);
        Ok(on)
    });
    walked.map_or(Units::Any, |_| found)
}

/// And whether what is cast has units of its own.
fn of_cast(from: &Expr, to: &DataType) -> (Units, TreeNodeRecursion) {
    match (from, holds_intervals(to)) {
        (_, false) => (Units::Nothing, TreeNodeRecursion::Continue),
        (Expr::Literal(value, _), true) => {
            let units = value.cast_to(to).map_or(Units::Any, |value| of_value(&value));
            (units, TreeNodeRecursion::Jump)
        }
        (_, true) => (Units::Any, TreeNodeRecursion::Continue),
    }
}

fn of_value(value: &ScalarValue) -> Units {
    match value {
        ScalarValue::IntervalMonthDayNano(Some(value)) => match (value.months, value.days, value.nanoseconds) {
            (0, 0, 0) => Units::Nothing,
            (0, ..) => Units::Time,
            (_, 0, 0) => Units::Months,
            _ => Units::Any,
        },
        ScalarValue::IntervalYearMonth(Some(_)) => Units::Months,
        ScalarValue::IntervalDayTime(Some(_)) => Units::Time,
        value if value.is_null() || !holds_intervals(&value.data_type()) => Units::Nothing,
        _ => Units::Any,
    }
}

#[cfg(test)]
mod tests;
