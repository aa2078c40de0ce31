//! An aggregation groups by the keys first. Over all rows, without groups or by a set of none of them (`()`, ROLLUP, CUBE), it has one row
//! also where it has no input: that row is absent here, and each aggregate knows what it is then (0 for a count, NULL for most others).

use super::super::all::Part;
use super::{Attached, Push};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Aggregate, Expr, GroupingSet, LogicalPlan, LogicalPlanBuilder, cast, lit};
use std::sync::Arc;

impl Push<'_> {
    pub(super) fn aggregate(&self, aggregate: Aggregate) -> Result<Attached> {
        let absent = match over_all_rows(&aggregate.group_expr) {
            0 => None,
            1 => Some(absent(&aggregate)?),
            _ => return self.attach(self.sets_apart(&aggregate)?),
        };
        let is_sets = matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]);
        let input = self.attach(Arc::unwrap_or_clone(aggregate.input))?;
        let input = self.complete(input)?;
        // A set leaves out some columns that it groups by; the keys must not be among them.
        let input = if is_sets { self.apart(input)? } else { input };
        let mut groups: Vec<Expr> = Vec::new();
        let own = self.substituted(aggregate.group_expr, &input)?;
        for group in input.columns().map(Expr::Column).chain(own) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let aggregates = self.substituted(aggregate.aggr_expr, &input)?;
        let plan = Aggregate::try_new(Arc::new(input.plan), groups, aggregates)?;
        Ok(Attached {
            plan: LogicalPlan::Aggregate(plan),
            bound: input.bound,
            absent,
        })
    }

    /// Several sets without columns, each an aggregation of its own.
    fn sets_apart(&self, aggregate: &Aggregate) -> Result<LogicalPlan> {
        let [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] = aggregate.group_expr.as_slice() else {
            return internal_err!("several sets are written as sets");
        };
        let (whole, grouped): (Vec<_>, Vec<_>) = sets.iter().cloned().partition(Vec::is_empty);
        let grouped = match grouped.is_empty() {
            true => None,
            false => Some(vec![Expr::GroupingSet(GroupingSet::GroupingSets(grouped))]),
        };
        let parts = grouped.into_iter().chain(whole).map(|groups| {
            let part = Aggregate::try_new(Arc::clone(&aggregate.input), groups, aggregate.aggr_expr.clone())?;
            as_in(aggregate, part)
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        self.unnester.all(&aggregate.schema.columns(), parts)
    }

    /// The keys as columns of their own.
    fn apart(&self, mut input: Attached) -> Result<Attached> {
        let columns = input.plan.schema().columns();
        let mut exprs: Vec<Expr> = columns.into_iter().map(Expr::Column).collect();
        for key in input.bound.iter_mut().flatten() {
            let name = self.unnester.name("key");
            exprs.push(Expr::Column(key.column.clone()).alias(&name));
            key.column = Column::new_unqualified(name);
        }
        input.plan = LogicalPlanBuilder::from(input.plan).project(exprs)?.build()?;
        Ok(input)
    }
}

/// The row of no input.
fn absent(aggregate: &Aggregate) -> Result<Vec<(Column, Expr)>> {
    let own = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let columns: Vec<Column> = aggregate.schema.columns();
    let groups = columns
        .iter()
        .zip(aggregate.schema.fields())
        .take(own)
        .map(|(column, field)| {
            let value = match column.name == Aggregate::INTERNAL_GROUPING_ID {
                true => all_left_out(own - 1, field.data_type())?,
                false => ScalarValue::try_new_null(field.data_type())?,
            };
            Ok((column.clone(), lit(value)))
        });
    let values = columns
        .iter()
        .zip(aggregate.schema.fields())
        .skip(own)
        .zip(&aggregate.aggr_expr);
    let values = values.map(|((column, field), expr)| {
        let value = match expr.clone().unalias() {
            Expr::AggregateFunction(function) => function.func.default_value(field.data_type())?,
            _ => field.data_type().try_into()?,
        };
        Ok((column.clone(), lit(value)))
    });
    groups.chain(values).collect()
}

/// What GROUPING reads: a bit for each column that the set leaves out.
fn all_left_out(columns: usize, data_type: &DataType) -> Result<ScalarValue> {
    let bits = 1_u64
        .checked_shl(u32::try_from(columns).unwrap_or(u32::MAX))
        .unwrap_or(0);
    ScalarValue::from(bits.wrapping_sub(1)).cast_to(data_type)
}

/// Sets without columns: each has a row where there is no input, as an aggregation without groups has.
fn over_all_rows(groups: &[Expr]) -> usize {
    match groups {
        [] => 1,
        [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => sets.iter().filter(|set| set.is_empty()).count(),
        [Expr::GroupingSet(_)] => 1,
        _ => 0,
    }
}

/// What a part has for each column of the whole: what it does not have is what it is in the row over all rows.
fn as_in(whole: &Aggregate, part: Aggregate) -> Result<Part> {
    let columns = whole.schema.columns().into_iter().zip(whole.schema.fields());
    let exprs =
        columns.zip(absent(whole)?).map(
            |((column, field), (_, otherwise))| match part.schema.has_column(&column) {
                true => cast(Expr::Column(column), field.data_type().clone()),
                false => otherwise,
            },
        );
    let exprs = exprs.collect();
    Ok((LogicalPlan::Aggregate(part), exprs))
}
