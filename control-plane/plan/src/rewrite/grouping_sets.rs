//! A fence below each aggregation by several grouping sets, so that nothing is concluded about its keys from columns that they are not
//! any more; see [`FenceExec`].
//!
//! ```text
//! AggregateExec: gby=[(NULL, x), (g, x)]      AggregateExec: gby=[(NULL, x), (g, x)]
//!   FilterExec: g = 1                     →     FenceExec
//!                                                 FilterExec: g = 1
//! ```
//! And what is a key twice (`coalesce(x, 0)` where `x` is never NULL is `x`) is a column twice below the fence: one key may be in a set without
//! the other, and DataFusion takes keys of one expression for equal.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, PhysicalGroupBy};
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, PhysicalExpr, ReplaceChildrenOptions};
use mayfly_fragment::FenceExec;
use std::sync::Arc;

/// Runs first: every other rule would rely on what the fence hides.
#[derive(Debug)]
pub(crate) struct GroupingSets;

impl PhysicalOptimizerRule for GroupingSets {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match node.downcast_ref::<AggregateExec>() {
            Some(aggregate) if is_open(aggregate) => {
                let repeated = repeated(aggregate.group_expr());
                if !repeated.is_empty() {
                    return with_copies(aggregate, &repeated).map(Transformed::yes);
                }
                let fenced = Arc::new(FenceExec::new(Arc::clone(aggregate.input())));
                let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
                node.replace_children(vec![fenced], options).map(Transformed::yes)
            }
            _ => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "grouping_sets"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn is_open(aggregate: &AggregateExec) -> bool {
    aggregate.group_expr().has_grouping_set() && !aggregate.input().is::<FenceExec>()
}

/// Which keys an earlier one equals.
fn repeated(keys: &PhysicalGroupBy) -> Vec<usize> {
    let keys = keys.expr();
    let is_repeated = |at: &usize| keys[..*at].iter().any(|(earlier, _)| earlier.eq(&keys[*at].0));
    (0..keys.len()).filter(is_repeated).collect()
}

/// The aggregation, with a column of its own for each of these keys.
fn with_copies(aggregate: &AggregateExec, repeated: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
    let (keys, input) = (aggregate.group_expr(), aggregate.input());
    let schema = input.schema();
    let column = |at: usize, name: &str| -> Arc<dyn PhysicalExpr> { Arc::new(Column::new(name, at)) };
    let fields = schema.fields().iter().enumerate();
    let mut columns: Vec<(Arc<dyn PhysicalExpr>, String)> = fields
        .map(|(at, field)| (column(at, field.name()), field.name().clone()))
        .collect();
    let mut expr = keys.expr().to_vec();
    for key in repeated {
        let name = format!("{} of key {key}", expr[*key].1);
        let copy = column(columns.len(), &name);
        columns.push((std::mem::replace(&mut expr[*key].0, copy), name));
    }
    let copied = ProjectionExec::try_new(columns, Arc::clone(input))?;
    let fenced: Arc<dyn ExecutionPlan> = Arc::new(FenceExec::new(Arc::new(copied)));
    let keys = PhysicalGroupBy::new(expr, keys.null_expr().to_vec(), keys.groups().to_vec(), true);
    let schema = fenced.schema();
    Ok(Arc::new(AggregateExec::try_new(
        *aggregate.mode(),
        keys,
        aggregate.aggr_expr().to_vec(),
        aggregate.filter_expr().to_vec(),
        fenced,
        schema,
    )?))
}
