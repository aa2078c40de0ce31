//! Window expressions in a form that survives the way to an executor: DataFusion's protobuf of them has no room for FILTER, nor for
//! IGNORE NULLS of functions that are no aggregates. Both become part of the function. And a partition key that stands twice stands once:
//! DataFusion looks for the order of both.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{AggregateUDF, Expr, LogicalPlan, WindowFunctionDefinition};
use datafusion::optimizer::AnalyzerRule;
use mayfly_fragment::{Directed, Filtered};

/// Runs after types were coerced: the functions that it puts in take their arguments as they are.
#[derive(Debug)]
pub(crate) struct WindowFlags;

impl AnalyzerRule for WindowFlags {
    fn name(&self) -> &'static str {
        "window_flags"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            let rewritten = node.map_expressions(|expression| {
                let name = names.save(&expression);
                let rewritten = expression.transform_up(in_function)?;
                Ok(rewritten.update_data(|expression| name.restore(expression)))
            })?;
            rewritten.map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(rewritten.data)
    }
}

fn in_function(expression: Expr) -> Result<Transformed<Expr>> {
    let Expr::WindowFunction(mut function) = expression else {
        return Ok(Transformed::no(expression));
    };
    let changed = filter_in_function(&mut function)
        | ignore_nulls_in_function(&mut function)
        | partition_by_each_once(&mut function);
    Ok(Transformed::new_transformed(Expr::WindowFunction(function), changed))
}

fn filter_in_function(function: &mut WindowFunction) -> bool {
    let WindowFunctionDefinition::AggregateUDF(aggregate) = &function.fun else {
        return false;
    };
    let Some(condition) = function.params.filter.take() else {
        return false;
    };
    let filtered = AggregateUDF::new_from_impl(Filtered::of(aggregate.clone()));
    function.params.args.push(*condition);
    function.fun = WindowFunctionDefinition::AggregateUDF(filtered.into());
    true
}

fn ignore_nulls_in_function(function: &mut WindowFunction) -> bool {
    let WindowFunctionDefinition::WindowUDF(window) = &function.fun else {
        return false;
    };
    let Some(directed) = window.inner().downcast_ref::<Directed>() else {
        return false;
    };
    if function.params.null_treatment != Some(NullTreatment::IgnoreNulls) {
        return false;
    }
    let ignoring = directed.clone().with_flags(true, directed.reversed);
    function.params.null_treatment = None;
    function.fun = WindowFunctionDefinition::WindowUDF(ignoring.function());
    true
}

fn partition_by_each_once(function: &mut WindowFunction) -> bool {
    let keys = std::mem::take(&mut function.params.partition_by);
    let written = keys.len();
    for key in keys {
        if !function.params.partition_by.contains(&key) {
            function.params.partition_by.push(key);
        }
    }
    function.params.partition_by.len() < written
}
