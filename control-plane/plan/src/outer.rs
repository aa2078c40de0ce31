//! Aggregates that belong to an outer query: the standard computes `max(o.x)` of a subquery in the query of `o` when it names columns of
//! `o` alone. DataFusion computes it within the subquery, which is another answer, so that it is refused.

use crate::error;
use crate::subquery::subquery;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result as DfResult};
use datafusion::logical_expr::expr_rewriter::strip_outer_reference;
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};
use mayfly_protocol::QueryError;

pub(crate) fn refuse_aggregates(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut found = None;
    let walked = plan.apply_with_subqueries(|node| {
        let LogicalPlan::Aggregate(aggregate) = node else {
            return Ok(TreeNodeRecursion::Continue);
        };
        for expr in &aggregate.aggr_expr {
            if belongs_outside(expr, aggregate.input.schema())? {
                found = Some(strip_outer_reference(expr.clone()).schema_name().to_string());
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(error::from_datafusion)?;
    found.map_or(Ok(()), |name| {
        let text = format!("{name} in a subquery, an aggregate of an outer query's columns alone, is not supported");
        Err(error::not_supported(text)
            .hint("compute it in the outer query, which the SQL standard takes it to belong to"))
    })
}

/// Whether it names columns, and each is an outer query's. `own`: those of the query that it stands in, which subqueries within may name.
fn belongs_outside(expr: &Expr, own: &DFSchema) -> DfResult<bool> {
    let (mut outer, mut inner) = (false, false);
    expr.apply(|part| {
        match part {
            Expr::OuterReferenceColumn(..) => outer = true,
            Expr::Column(_) => inner = true,
            _ => {
                for column in subquery(part).into_iter().flat_map(named_from_within) {
                    match own.has_column(column) {
                        true => inner = true,
                        false => outer = true,
                    }
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(outer && !inner)
}

/// Columns of queries around the subquery.
fn named_from_within(subquery: &Subquery) -> impl Iterator<Item = &Column> {
    subquery.outer_ref_columns.iter().filter_map(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) => Some(column),
        _ => None,
    })
}
