//! Window expressions in a form that survives the way to an executor: DataFusion's protobuf of them has no room for FILTER, nor for
//! IGNORE NULLS of functions that are no aggregates. Both become part of the function, and so does a frame that excludes rows, of which
//! DataFusion has none. And a partition key that stands twice stands once: DataFusion looks for the order of both.

use crate::sql;

use datafusion::arrow::compute::SortOptions;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{AggregateUDF, Expr, ExprSchemable, LogicalPlan, WindowFrame, WindowFunctionDefinition};
use datafusion::optimizer::AnalyzerRule;
use mayfly_fragment::{Directed, Excluding, ExcludingFrame, ExcludingInner, Exclusion, Filtered, Shifted, Sliding};
use std::sync::Arc;

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
            let input = match &node {
                LogicalPlan::Window(window) => Arc::clone(window.input.schema()),
                _ => Arc::clone(node.schema()),
            };
            let rewritten = node.map_expressions(|expression| {
                let name = names.save(&expression);
                let rewritten = expression.transform_up(|expression| in_function(expression, &input))?;
                Ok(rewritten.update_data(|expression| name.restore(expression)))
            })?;
            rewritten.map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(rewritten.data)
    }
}

fn in_function(expression: Expr, input: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::WindowFunction(mut function) = expression else {
        return Ok(Transformed::no(expression));
    };
    let changed = sliding_in_function(&mut function, input)
        | filter_in_function(&mut function)
        | shift_in_function(&mut function)
        | ignore_nulls_in_function(&mut function)
        | partition_by_each_once(&mut function)
        | exclusion_in_function(&mut function);
    Ok(Transformed::new_transformed(Expr::WindowFunction(function), changed))
}

fn sliding_in_function(function: &mut WindowFunction, input: &DFSchema) -> bool {
    let WindowFunctionDefinition::AggregateUDF(aggregate) = &function.fun else {
        return false;
    };
    let params = &function.params;
    let excludes = params.partition_by.iter().any(|key| sql::exclusion(key).is_some());
    if params.distinct || excludes || params.window_frame.start_bound.is_unbounded() {
        return false;
    }
    let types = params.args.iter().filter_map(|argument| argument.get_type(input).ok());
    let Some(sliding) = Sliding::instead_of(aggregate, &types.collect::<Vec<_>>()) else {
        return false;
    };
    function.fun = WindowFunctionDefinition::AggregateUDF(sliding);
    true
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

/// Numbers and defaults that each row has its own of.
fn shift_in_function(function: &mut WindowFunction) -> bool {
    let WindowFunctionDefinition::WindowUDF(window) = &function.fun else {
        return false;
    };
    let own = usize::from(window.name() != "ntile");
    if !function.params.args.iter().skip(own).any(Expr::any_column_refs) {
        return false;
    }
    let ignore_nulls = function.params.null_treatment == Some(NullTreatment::IgnoreNulls);
    let Some(shifted) = Shifted::instead_of(window, ignore_nulls) else {
        return false;
    };
    function.params.null_treatment = None;
    function.fun = WindowFunctionDefinition::WindowUDF(shifted.function());
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

fn exclusion_in_function(function: &mut WindowFunction) -> bool {
    let Some(exclusion) = take_exclusion(&mut function.params.partition_by) else {
        return false;
    };
    let params = &mut function.params;
    // Others do not look at their frames.
    let Some((inner, ignores)) = ExcludingInner::of(&function.fun, params.distinct) else {
        return true;
    };
    let options = |descending: bool, nulls_first| SortOptions {
        descending,
        nulls_first,
    };
    let frame = ExcludingFrame {
        // It is given its whole partition, whatever it looks at.
        frame: std::mem::replace(&mut params.window_frame, WindowFrame::new(None)),
        exclusion,
        order: params
            .order_by
            .iter()
            .map(|key| options(!key.asc, key.nulls_first))
            .collect(),
    };
    params.args.extend(params.order_by.iter().map(|key| key.expr.clone()));
    let ignores = ignores || params.null_treatment.take() == Some(NullTreatment::IgnoreNulls);
    params.distinct = false;
    function.fun = WindowFunctionDefinition::WindowUDF(Excluding::new(inner, ignores, frame).function());
    true
}

/// What the frame excludes, from where the statement's text was told to say it.
fn take_exclusion(keys: &mut Vec<Expr>) -> Option<Exclusion> {
    let found = keys.iter().find_map(sql::exclusion);
    keys.retain(|key| sql::exclusion(key).is_none());
    found
}
