//! An order for each LIMIT that has none. The outer side of a subquery may be read twice, and must be the same both times: which rows a
//! LIMIT takes is free, but not to be one choice here and another there. It is done where reading twice was refused, as it costs a sort.

use super::push::has_order;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, Limit, LogicalPlan, LogicalPlanBuilder};
use std::sync::Arc;

/// The plan, in which LIMITs go by all columns, the first first. Those stay that have a column without order.
pub(super) fn ordered(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Limit(limit) if !has_order(&limit.input) && can_be_ordered(&limit.input) => {
            let columns = limit.input.schema().columns().into_iter();
            let keys: Vec<_> = columns.map(|column| Expr::Column(column).sort(true, false)).collect();
            let sorted = LogicalPlanBuilder::from(Arc::unwrap_or_clone(limit.input)).sort(keys)?;
            let input = Arc::new(sorted.build()?);
            Ok(Transformed::yes(LogicalPlan::Limit(Limit { input, ..limit })))
        }
        node => Ok(Transformed::no(node)),
    })
}

fn can_be_ordered(plan: &LogicalPlan) -> bool {
    let fields = plan.schema().fields().iter();
    let fields: Vec<SortField> = fields.map(|field| SortField::new(field.data_type().clone())).collect();
    !fields.is_empty() && RowConverter::supports_fields(&fields)
}
