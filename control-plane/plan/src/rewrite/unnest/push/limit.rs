//! LIMIT, OFFSET and ORDER BY count the rows of each key apart: by their number in the order.

use super::super::scalar::has_one_row;
use super::absent::is_null;
use super::{Attached, Push};
use datafusion::common::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Filter, Limit, LogicalPlan, Projection, Sort, SortExpr, lit};
use std::sync::Arc;

impl Push<'_> {
    /// An order alone says nothing about which rows there are.
    pub(super) fn sort(&self, sort: Sort) -> Result<Attached> {
        match sort.fetch {
            None => self.attach(Arc::unwrap_or_clone(sort.input)),
            Some(rows) => {
                let fetch = Some(Box::new(lit(i64::try_from(rows).unwrap_or(i64::MAX))));
                self.counted(sort.expr, Arc::unwrap_or_clone(sort.input), None, fetch)
            }
        }
    }

    pub(super) fn limit(&self, limit: Limit) -> Result<Attached> {
        let Limit { skip, fetch, input } = limit;
        match Arc::unwrap_or_clone(input) {
            // A projection changes neither the number of rows nor their order.
            LogicalPlan::Projection(projection) if is_sorted(&projection.input) => {
                let Projection {
                    expr, input, schema, ..
                } = projection;
                let limit = LogicalPlan::Limit(Limit { skip, fetch, input });
                self.projection(Projection::try_new_with_schema(expr, Arc::new(limit), schema)?)
            }
            LogicalPlan::Sort(Sort {
                expr,
                input,
                fetch: None,
            }) => self.counted(expr, Arc::unwrap_or_clone(input), skip, fetch),
            input => self.counted(Vec::new(), input, skip, fetch),
        }
    }

    fn counted(
        &self,
        order: Vec<SortExpr>,
        input: LogicalPlan,
        skip: Option<Box<Expr>>,
        fetch: Option<Box<Expr>>,
    ) -> Result<Attached> {
        let has_one_row = has_one_row(&input);
        let input = self.attach(input)?;
        let keeps_one_row = is_none_or_zero(skip.as_deref()) && is_positive(fetch.as_deref());
        if input.absent.is_some() && has_one_row && keeps_one_row {
            return Ok(input);
        }
        let input = self.complete(input)?;
        let (input, number) = self.numbered(input, Vec::new(), order)?;
        let skip = skip.map_or(lit(0_i64), |skip| *skip);
        let mut kept = Vec::new();
        if !is_none_or_zero(Some(&skip)) {
            kept.push(number.clone().gt(skip.clone()));
        }
        if let Some(fetch) = fetch.filter(|fetch| !is_null(fetch)) {
            kept.push(number.lt_eq(skip + *fetch));
        }
        let kept = kept.into_iter().map(|expr| self.substitute(expr, &input));
        match conjunction(kept.collect::<Result<Vec<_>>>()?) {
            None => Ok(input),
            Some(kept) => {
                let plan = LogicalPlan::Filter(Filter::try_new(kept, Arc::new(input.plan))?);
                Ok(Attached::of(plan, input.bound))
            }
        }
    }
}

fn is_sorted(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(sort) => sort.fetch.is_none(),
        LogicalPlan::Projection(projection) => is_sorted(&projection.input),
        _ => false,
    }
}

fn count(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(value, _) => i64::try_from(value.clone()).ok(),
        _ => None,
    }
}

fn is_none_or_zero(expr: Option<&Expr>) -> bool {
    expr.is_none_or(|expr| is_null(expr) || count(expr) == Some(0))
}

fn is_positive(expr: Option<&Expr>) -> bool {
    expr.is_none_or(|expr| is_null(expr) || count(expr).is_some_and(|rows| rows > 0))
}
