//! An OFFSET without LIMIT over an order keeps the rows whose number in that order is larger.
//!
//! ```text
//! SELECT max(k) FROM (SELECT k FROM t ORDER BY k OFFSET 100) AS rest
//!
//! Limit: skip=100           Projection: k
//!   Sort: k           →       Filter: number > 100
//!     TableScan: t              WindowAggr: row_number() ORDER BY k AS number
//!                                 TableScan: t
//! ```
//!
//! DataFusion moves an order that is asked for above such an OFFSET below it, or drops the order there, and so skips other rows. Where a
//! LIMIT stands beside the OFFSET it does not. The last OFFSET of a query stays: its rows come in the order below it.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, FetchType, Filter, Limit, LogicalPlan, LogicalPlanBuilder, Projection, SkipType, Sort,
    WindowFrame, lit,
};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::sync::Arc;

const NUMBER: &str = "number of OFFSET";

/// Runs behind what joins a LIMIT above with an OFFSET below.
#[derive(Debug)]
pub(crate) struct Offsets;

impl OptimizerRule for Offsets {
    fn name(&self) -> &'static str {
        "mayfly_offsets"
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        last(plan)
    }
}

/// The rows of the query, or what only leaves out columns of theirs.
fn last(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let below = match plan {
        LogicalPlan::Projection(_) => last,
        LogicalPlan::Limit(_) => inner,
        _ => return inner(plan),
    };
    let plan = plan.map_subqueries(inner)?;
    plan.transform_data(|plan| plan.map_children(below))
}

fn inner(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    plan.transform_down_with_subqueries(|node| {
        let behind = match &node {
            LogicalPlan::Limit(limit) => without(limit)?,
            _ => None,
        };
        Ok(behind.map_or_else(|| Transformed::no(node), Transformed::yes))
    })
}

/// The rows of the limit by their numbers, if it only skips rows of an order.
fn without(limit: &Limit) -> Result<Option<LogicalPlan>> {
    match (limit.get_skip_type()?, limit.get_fetch_type()?) {
        (SkipType::Literal(rows), FetchType::Literal(None)) if rows > 0 => behind(&limit.input, rows),
        _ => Ok(None),
    }
}

/// What comes behind the first `rows` of an order, which projections do not change.
fn behind(plan: &LogicalPlan, rows: usize) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let projected = |input| {
                let (columns, schema) = (projection.expr.clone(), Arc::clone(&projection.schema));
                Projection::try_new_with_schema(columns, Arc::new(input), schema).map(LogicalPlan::Projection)
            };
            behind(&projection.input, rows)?.map(projected).transpose()
        }
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => numbered(sort, rows).map(Some),
        _ => Ok(None),
    }
}

fn numbered(sort: &Sort, rows: usize) -> Result<LogicalPlan> {
    let number = row_number()
        .order_by(sort.expr.clone())
        .window_frame(WindowFrame::new(Some(false)))
        .build()?
        .alias(NUMBER);
    let input = LogicalPlanBuilder::from(Arc::clone(&sort.input));
    let input = input.window(vec![number])?.build()?;
    let is_behind = Expr::Column(Column::new_unqualified(NUMBER)).gt(lit(rows as u64));
    let kept = LogicalPlan::Filter(Filter::try_new(is_behind, Arc::new(input))?);
    let columns = sort.input.schema().columns().into_iter().map(Expr::Column);
    Projection::try_new(columns.collect(), Arc::new(kept)).map(LogicalPlan::Projection)
}
