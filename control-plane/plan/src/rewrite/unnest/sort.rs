//! Subqueries in ORDER BY. What is sorted by becomes a column below the sort, also where a subquery is computed once beside the plan: a sort
//! that is spread over tasks reads columns only.
//!
//! Such a subquery may read columns that the SELECT list leaves out. Then it is computed below the projection.

use super::Unnester;
use super::scope::{self, Scope};
use super::site::Site;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, Sort, SortExpr};
use std::sync::Arc;

impl Unnester {
    pub(super) fn sort(&self, sort: Sort) -> Result<LogicalPlan> {
        let shown: Vec<Expr> = sort.input.schema().columns().into_iter().map(Expr::Column).collect();
        let fetch = sort.fetch;
        let outer = Arc::clone(sort.input.schema());
        let keys = sort.expr.into_iter().map(|key| {
            let expr = self.inside(key.expr.clone().unalias(), &outer)?;
            Ok(key.with_expr(expr))
        });
        let keys: Vec<SortExpr> = keys.collect::<Result<_>>()?;
        let (input, expr) = match Arc::unwrap_or_clone(sort.input) {
            LogicalPlan::Projection(projection) if reads_below(&keys, &projection)? => self.below(keys, projection)?,
            input => self.above(keys, input)?,
        };
        let sorted = LogicalPlan::Sort(Sort {
            expr,
            input: Arc::new(input),
            fetch,
        });
        LogicalPlanBuilder::from(sorted).project(shown)?.build()
    }

    fn above(&self, keys: Vec<SortExpr>, input: LogicalPlan) -> Result<(LogicalPlan, Vec<SortExpr>)> {
        let columns = input.schema().columns().into_iter().map(Expr::Column).collect();
        self.keyed(keys, input, columns)
    }

    fn below(&self, keys: Vec<SortExpr>, projection: Projection) -> Result<(LogicalPlan, Vec<SortExpr>)> {
        let outputs = projection.schema.columns();
        let keys = keys.into_iter().map(|key| match scope::is_subquery_within(&key.expr) {
            false => Ok(key),
            true => {
                let expr = projected(key.expr.clone(), &outputs, &projection.expr)?;
                Ok(key.with_expr(expr))
            }
        });
        let keys = keys.collect::<Result<_>>()?;
        self.keyed(keys, Arc::unwrap_or_clone(projection.input), projection.expr)
    }

    /// The projection, with the keys that hold subqueries as columns more.
    fn keyed(
        &self,
        keys: Vec<SortExpr>,
        input: LogicalPlan,
        mut exprs: Vec<Expr>,
    ) -> Result<(LogicalPlan, Vec<SortExpr>)> {
        let mut site = Site::new(self, input);
        let keys = keys.into_iter().map(|key| {
            if !scope::is_subquery_within(&key.expr) {
                return Ok(key);
            }
            let name = self.name("order");
            exprs.push(site.value(key.expr.clone())?.alias(&name));
            Ok(key.with_expr(Expr::Column(Column::new_unqualified(name))))
        });
        let keys = keys.collect::<Result<_>>()?;
        let input = LogicalPlanBuilder::from(site.plan).project(exprs)?.build()?;
        Ok((input, keys))
    }
}

/// Whether a subquery among the keys reads what the projection does not show.
fn reads_below(keys: &[SortExpr], projection: &Projection) -> Result<bool> {
    let (shown, below) = (Scope(&projection.schema), Scope(projection.input.schema()));
    let mut reads = false;
    for key in keys {
        for column in scope::columns(&key.expr)? {
            reads |= !shown.has(&column) && below.has(&column);
        }
    }
    Ok(reads)
}

/// What the projection computes instead of the columns that it shows.
fn projected(expr: Expr, columns: &[Column], exprs: &[Expr]) -> Result<Expr> {
    let below = expr.transform_up(|part| {
        let Expr::Column(column) = &part else {
            return Ok(Transformed::no(part));
        };
        match columns.iter().position(|own| own == column) {
            Some(at) => Ok(Transformed::yes(exprs[at].clone().unalias())),
            None => Ok(Transformed::no(part)),
        }
    })?;
    Ok(below.data)
}
