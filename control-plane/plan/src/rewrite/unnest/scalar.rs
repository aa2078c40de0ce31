//! A scalar subquery that reads an outer query: its one value joined to each row, NULL where it has none. More than one row is an error,
//! raised where the value is needed: the rows of keys that no outer row has are nobody's.

use super::member::value_of;
use super::push::or_default;
use super::scope;
use super::site::Site;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::functions_aggregate::expr_fn::{count, first_value, max};
use datafusion::logical_expr::{
    Distinct, Expr, ExprSchemable, FetchType, JoinType, Limit, LogicalPlan, LogicalPlanBuilder, Subquery, lit,
};
use mayfly_fragment::SingleRow;
use std::sync::Arc;

impl Site<'_> {
    pub(super) fn scalar(&mut self, subquery: Subquery) -> Result<Expr> {
        if scope::outer_columns(&subquery.subquery)?.is_empty() {
            return beside(subquery);
        }
        let plan = Arc::unwrap_or_clone(subquery.subquery);
        match has_one_row(&plan) {
            true => self.value_of_one_row(plan),
            false => self.checked_value(plan),
        }
    }

    fn value_of_one_row(&mut self, plan: LogicalPlan) -> Result<Expr> {
        let value = value_of(&plan);
        let push = self.push(&plan)?;
        let attached = push.attach(plan)?;
        let default = attached.absent.as_ref().map(|absent| absent[0].1.clone());
        let columns = vec![value, lit(true)];
        let placed = self.join(&push, attached, columns, JoinType::Left, |_| (Vec::new(), Vec::new()))?;
        let [value, there] = &placed.columns[..] else {
            return datafusion::common::internal_err!("two columns were asked for");
        };
        match default {
            Some(default) => or_default(value.clone(), push.outside(default)?, there),
            None => Ok(value.clone()),
        }
    }

    fn checked_value(&mut self, plan: LogicalPlan) -> Result<Expr> {
        let aggregates = value_and_rows(&plan)?;
        let columns = self.aggregated(plan, aggregates)?;
        Ok(SingleRow::function().call(columns))
    }
}

/// Computed once, beside the plan. What has no row is NULL, whatever its column promises.
fn beside(subquery: Subquery) -> Result<Expr> {
    if has_always_one_row(&subquery.subquery) {
        return Ok(Expr::ScalarSubquery(subquery));
    }
    let name = subquery.subquery.schema().field(0).name().clone();
    let aggregates = value_and_rows(&subquery.subquery)?;
    let counted = LogicalPlanBuilder::from(subquery.subquery)
        .aggregate(Vec::<Expr>::new(), aggregates)?
        .build()?;
    let columns = counted.schema().columns().into_iter().map(Expr::Column).collect();
    let checked = SingleRow::function().call(columns).alias(name);
    Ok(Expr::ScalarSubquery(Subquery {
        subquery: Arc::new(LogicalPlanBuilder::from(counted).project(vec![checked])?.build()?),
        outer_ref_columns: Vec::new(),
        spans: subquery.spans,
    }))
}

/// Of one row its value, and how many there are.
fn value_and_rows(plan: &LogicalPlan) -> Result<Vec<Expr>> {
    let value = value_of(plan);
    let data_type = value.get_type(plan.schema())?;
    let has_no_greatest = data_type.is_nested() || data_type == DataType::Null;
    let any = match has_no_greatest {
        true => first_value(value, Vec::new()),
        false => max(value),
    };
    Ok(vec![any, count(lit(1_i64))])
}

fn has_always_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => has_always_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => has_always_one_row(&alias.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        _ => false,
    }
}

/// At most one, whatever the tables hold.
pub(super) fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => has_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => has_one_row(&alias.input),
        LogicalPlan::Subquery(wrapper) => has_one_row(&wrapper.subquery),
        LogicalPlan::Filter(filter) => has_one_row(&filter.input),
        LogicalPlan::Window(window) => has_one_row(&window.input),
        LogicalPlan::Distinct(Distinct::All(input)) => has_one_row(input),
        LogicalPlan::Sort(sort) => sort.fetch.is_some_and(|rows| rows <= 1) || has_one_row(&sort.input),
        LogicalPlan::Limit(limit) => limits_to_one(limit) || has_one_row(&limit.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Values(values) => values.values.len() <= 1,
        LogicalPlan::EmptyRelation(_) => true,
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
            has_one_row(&join.left) && has_one_row(&join.right)
        }
        _ => false,
    }
}

fn limits_to_one(limit: &Limit) -> bool {
    matches!(limit.get_fetch_type(), Ok(FetchType::Literal(Some(0 | 1))))
}
