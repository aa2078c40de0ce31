//! Filters above aggregations that have a row for no rows.
//!
//! ```text
//! SELECT sum(a) FROM t HAVING (SELECT false)
//! ```
//!
//! DataFusion moves a filter below an aggregation if each of its columns is a key, which holds of a filter without columns, too. Below an
//! aggregation without keys, or with an empty grouping set, it leaves the row that it was to take away.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// DataFusion's rule, but for those aggregations.
#[derive(Debug, Default)]
pub(crate) struct KeepFilter(PushDownFilter);

impl OptimizerRule for KeepFilter {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Filter(filter) => match filter.input.as_ref() {
                LogicalPlan::Aggregate(aggregate) if answers_no_rows(aggregate) => Ok(Transformed::no(plan)),
                _ => self.0.rewrite(plan, config),
            },
            _ => self.0.rewrite(plan, config),
        }
    }
}

/// Nothing may move below: a filter on a key of one grouping set does not hold for the rows of another.
fn answers_no_rows(aggregate: &Aggregate) -> bool {
    let is_sets = |key: &Expr| matches!(key, Expr::GroupingSet(_));
    aggregate.group_expr.is_empty() || aggregate.group_expr.iter().any(is_sets)
}
