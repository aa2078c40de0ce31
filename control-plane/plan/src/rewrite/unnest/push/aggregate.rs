//! An aggregation groups by the keys first. Without groups of its own it has one row also where it has no input: that row is absent here,
//! and each aggregate knows what it is then (0 for a count, NULL for most others).

use super::{Attached, Push};
use datafusion::common::{Column, Result, not_impl_err};
use datafusion::logical_expr::{Aggregate, Expr, GroupingSet, LogicalPlan, LogicalPlanBuilder, lit};
use std::sync::Arc;

impl Push<'_> {
    pub(super) fn aggregate(&self, aggregate: Aggregate) -> Result<Attached> {
        if has_empty_set(&aggregate.group_expr) {
            return not_impl_err!(
                "ROLLUP, CUBE or an empty grouping set in a subquery that reads columns of an outer query is not supported"
            );
        }
        let is_sets = matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]);
        let absent = match aggregate.group_expr.is_empty() {
            true => Some(absent(&aggregate)?),
            false => None,
        };
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
    let columns = aggregate.schema.columns().into_iter().zip(aggregate.schema.fields());
    let values = columns.zip(&aggregate.aggr_expr).map(|((column, field), expr)| {
        let value = match expr.clone().unalias() {
            Expr::AggregateFunction(function) => function.func.default_value(field.data_type())?,
            _ => field.data_type().try_into()?,
        };
        Ok((column, lit(value)))
    });
    values.collect()
}

/// A set without columns has a row where there is no input, as an aggregation without groups has.
fn has_empty_set(groups: &[Expr]) -> bool {
    groups.iter().any(|group| match group {
        Expr::GroupingSet(GroupingSet::Rollup(_) | GroupingSet::Cube(_)) => true,
        Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => sets.iter().any(Vec::is_empty),
        _ => false,
    })
}
