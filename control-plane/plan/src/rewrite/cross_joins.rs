//! Keys of inner joins that DataFusion would lose where it orders cross joins.
//!
//! ```text
//! a CROSS JOIN b JOIN c ON c.x = a.x AND c.z = a.x + b.y   →   … ON c.x = a.x AND (c.z = a.x + b.y as a filter)
//! ```
//!
//! It takes the joins apart, joins `a` with `c` first, and has no use for a key that reads both sides of what is joined next. Filters it
//! keeps. They become keys again where they can be ([`super::join_keys`]).

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan};
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::collections::HashSet;

/// DataFusion's rule over joins whose keys it keeps.
#[derive(Debug, Default)]
pub(crate) struct CrossJoins(EliminateCrossJoin);

impl OptimizerRule for CrossJoins {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let kept = plan.transform_up_with_subqueries(|node| {
            Ok(match node {
                LogicalPlan::Join(join) if join.join_type == JoinType::Inner => with_wide_keys_as_filter(join),
                other => Transformed::no(other),
            })
        })?;
        let rewritten = self.0.rewrite(kept.data, config)?;
        let transformed = kept.transformed || rewritten.transformed;
        Ok(Transformed::new(
            rewritten.data,
            transformed,
            TreeNodeRecursion::Continue,
        ))
    }
}

fn with_wide_keys_as_filter(mut join: Join) -> Transformed<LogicalPlan> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    inputs(&join.left, &mut left);
    inputs(&join.right, &mut right);
    let is_narrow = |key: &(Expr, Expr)| is_of_one(&key.0, &left) && is_of_one(&key.1, &right);
    let (narrow, wide): (Vec<_>, Vec<_>) = std::mem::take(&mut join.on).into_iter().partition(is_narrow);
    let transformed = !wide.is_empty();
    join.on = narrow;
    let wide = wide.into_iter().map(|(left, right)| left.eq(right));
    join.filter = conjunction(join.filter.into_iter().chain(wide));
    Transformed::new(LogicalPlan::Join(join), transformed, TreeNodeRecursion::Continue)
}

/// What DataFusion takes a tree of inner joins apart into.
fn inputs<'a>(plan: &'a LogicalPlan, found: &mut Vec<&'a LogicalPlan>) {
    match plan {
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
            inputs(&join.left, found);
            inputs(&join.right, found);
        }
        other => found.push(other),
    }
}

fn is_of_one(key: &Expr, inputs: &[&LogicalPlan]) -> bool {
    let columns: HashSet<&Column> = key.column_refs();
    let has_all = |input: &&LogicalPlan| columns.iter().all(|column| input.schema().has_column(column));
    inputs.iter().any(has_all)
}
