//! The walk of the analyzer rules here: every expression of a plan, with the columns that it may name, innermost first. Names stay.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The plan with every expression as `rewrite` leaves it.
pub(super) fn expressions(
    plan: LogicalPlan,
    rewrite: impl Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| {
        let schema = names(&node)?;
        let preserver = NamePreserver::new(&node);
        let named = |expression: Expr| {
            let name = preserver.save(&expression);
            let rewritten = expression.transform_up(|part| rewrite(part, &schema))?;
            Ok(rewritten.update_data(|expression| name.restore(expression)))
        };
        let rewritten = node.map_expressions(|expression| match &expression {
            // Its keys are the aggregate's columns, each under its own name.
            Expr::GroupingSet(_) => expression.map_children(named),
            _ => named(expression),
        })?;
        rewritten.map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(rewritten.data)
}

/// The columns that a node's expressions may name. A scan has no input and names its own.
fn names(node: &LogicalPlan) -> Result<DFSchema> {
    let mut schema = merge_schema(&node.inputs());
    if let LogicalPlan::TableScan(scan) = node {
        let source = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
        schema.merge(&source);
    }
    Ok(schema)
}
