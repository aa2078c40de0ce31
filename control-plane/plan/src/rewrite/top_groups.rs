//! Takes back top-k aggregations that DataFusion planned for another column of the same name: `SELECT -k AS k … ORDER BY k LIMIT 3` over
//! distinct `k` would keep the groups of the three least `k`.

use crate::stage::draft::with_children;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use std::sync::Arc;

/// The rule; it goes down from each sort as DataFusion's does, and follows the column by its position.
#[derive(Debug)]
pub(crate) struct TopGroups;

impl TopGroups {
    /// DataFusion's rule after which this one runs.
    pub(crate) const AFTER: &str = "LimitAggregation";
}

impl PhysicalOptimizerRule for TopGroups {
    fn name(&self) -> &str {
        "mayfly_top_groups"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        checked(&plan, None)
    }
}

/// `sorted`: the column that a top-k above sorts by, where it is one of this operator's.
fn checked(plan: &Arc<dyn ExecutionPlan>, sorted: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
    let below = sorted_below(plan, sorted);
    let children = plan.children().into_iter().map(|child| checked(child, below));
    let plan = with_children(plan, children.collect::<Result<_>>()?)?;
    Ok(match plan.downcast_ref::<AggregateExec>() {
        Some(aggregate) if keeps_top(aggregate) && sorted != Some(top_column(aggregate)) => {
            Arc::new(aggregate.with_new_limit_options(None))
        }
        _ => plan,
    })
}

fn keeps_top(aggregate: &AggregateExec) -> bool {
    let limit = aggregate.limit_options();
    limit.is_some_and(|limit| limit.descending.is_some())
}

/// The key, where there is nothing else, or the one least or greatest value, of one key's groups.
fn top_column(aggregate: &AggregateExec) -> usize {
    match aggregate.aggr_expr() {
        [] => 0,
        _ => aggregate.group_expr().expr().len(),
    }
}

fn sorted_below(plan: &Arc<dyn ExecutionPlan>, sorted: Option<usize>) -> Option<usize> {
    if let Some(sort) = plan.downcast_ref::<SortExec>()
        && sort.fetch().is_some()
    {
        let [key] = &sort.expr()[..] else {
            return None;
        };
        return key.expr.downcast_ref::<Column>().map(Column::index);
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let column = projection.expr().get(sorted?)?;
        return column.expr.downcast_ref::<Column>().map(Column::index);
    }
    let keeps_columns = plan.is::<SortExec>()
        || plan.is::<RepartitionExec>()
        || plan.is::<CoalescePartitionsExec>()
        || plan.is::<SortPreservingMergeExec>()
        // From a final one to the partial ones below it.
        || plan.is::<AggregateExec>();
    sorted.filter(|_| keeps_columns)
}
