//! The ORDER BY among an aggregate's arguments, as DataFusion can take it.
//!
//! ```text
//! avg(x ORDER BY y)                              →  avg(x): the same in any order. DataFusion would sort its input, and refuses two orders
//! string_agg(DISTINCT x, ',' ORDER BY x::text)   →  … ORDER BY x: a DISTINCT aggregate may be ordered by its argument alone, and a text cast
//!                                                   to text is the same text, held in another way
//! ```

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, ReversedUDAF};
use datafusion::optimizer::AnalyzerRule;

#[derive(Debug)]
pub(crate) struct AggregateOrder;

impl AnalyzerRule for AggregateOrder {
    fn name(&self) -> &'static str {
        "aggregate_order"
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
                let rewritten = expression.transform_up(|part| ordered(part, &schema))?;
                Ok(rewritten.update_data(|expression| name.restore(expression)))
            })
        })?;
        Ok(rewritten.data)
    }
}

fn ordered(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::AggregateFunction(mut function) = expression else {
        return Ok(Transformed::no(expression));
    };
    let changed = without_order(&mut function) || ordered_by_text(&mut function, schema);
    Ok(Transformed::new_transformed(Expr::AggregateFunction(function), changed))
}

/// What is the same backwards is the same in any order.
fn without_order(function: &mut AggregateFunction) -> bool {
    let is_unordered = matches!(function.func.reverse_udf(), ReversedUDAF::Identical);
    let drops = is_unordered && !function.params.order_by.is_empty();
    if drops {
        function.params.order_by.clear();
    }
    drops
}

fn ordered_by_text(function: &mut AggregateFunction, schema: &DFSchema) -> bool {
    let mut changed = false;
    if function.params.distinct {
        for key in &mut function.params.order_by {
            let text = as_text(&key.expr, schema).filter(|text| function.params.args.first() == Some(*text));
            let text = text.cloned();
            changed |= text.is_some();
            key.expr = text.unwrap_or_else(|| key.expr.clone());
        }
    }
    changed
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
