//! `string_agg(DISTINCT x, ',' ORDER BY x::text)`: a text cast to text is the same text, held in another way. A DISTINCT aggregate may
//! be ordered by its argument alone, and DataFusion compares the two as written.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

#[derive(Debug)]
pub(crate) struct TextOrder;

impl AnalyzerRule for TextOrder {
    fn name(&self) -> &'static str {
        "text_order"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::Aggregate(aggregate) = &node else {
                return Ok(Transformed::no(node));
            };
            let schema = aggregate.input.schema().clone();
            let names = NamePreserver::new(&node);
            node.map_expressions(|expression| {
                let name = names.save(&expression);
                let rewritten = expression.transform_up(|part| ordered_by_text(part, &schema))?;
                Ok(rewritten.update_data(|expression| name.restore(expression)))
            })
        })?;
        Ok(rewritten.data)
    }
}

fn ordered_by_text(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::AggregateFunction(mut function) = expression else {
        return Ok(Transformed::no(expression));
    };
    let mut changed = false;
    if function.params.distinct {
        for key in &mut function.params.order_by {
            let text = as_text(&key.expr, schema).filter(|text| function.params.args.first() == Some(*text));
            let text = text.cloned();
            changed |= text.is_some();
            key.expr = text.unwrap_or_else(|| key.expr.clone());
        }
    }
    Ok(Transformed::new_transformed(Expr::AggregateFunction(function), changed))
}

/// What is cast, if both are texts.
fn as_text<'a>(expression: &'a Expr, schema: &DFSchema) -> Option<&'a Expr> {
    let Expr::Cast(cast) = expression else {
        return None;
    };
    let is_text = |expression: &Expr| {
        let data_type = expression.get_type(schema);
        data_type.is_ok_and(|data_type| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View))
    };
    (is_text(expression) && is_text(&cast.expr)).then_some(&cast.expr)
}
