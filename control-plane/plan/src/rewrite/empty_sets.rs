//! `GROUP BY GROUPING SETS (())` as what it is, an aggregate over all rows, once for each empty set: DataFusion's protobuf counts sets by
//! their expressions, and of those without any it makes none.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Aggregate, Expr, GroupingSet, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;

#[derive(Debug)]
pub(crate) struct EmptySets;

impl AnalyzerRule for EmptySets {
    fn name(&self) -> &'static str {
        "empty_sets"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|node| match &node {
            LogicalPlan::Aggregate(aggregate) => match empty_sets(&aggregate.group_expr) {
                0 => Ok(Transformed::no(node)),
                count => over_all_rows(aggregate, count).map(Transformed::yes),
            },
            _ => node.recompute_schema().map(Transformed::no),
        })?;
        Ok(rewritten.data)
    }
}

/// How many sets there are, if all of them are empty.
fn empty_sets(group: &[Expr]) -> usize {
    match group {
        [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] if sets.iter().all(Vec::is_empty) => sets.len(),
        _ => 0,
    }
}

fn over_all_rows(aggregate: &Aggregate, count: usize) -> Result<LogicalPlan> {
    let whole = Aggregate::try_new(aggregate.input.clone(), Vec::new(), aggregate.aggr_expr.clone())?;
    let whole = LogicalPlan::Aggregate(whole);
    let first = LogicalPlanBuilder::from(whole.clone());
    let all = (1..count).try_fold(first, |all, _| all.union(whole.clone()))?;
    all.build()
}
