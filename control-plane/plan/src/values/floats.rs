//! Floats where NaN or -0.0 may meet: comparisons with NaN are false but `<>`, and as keys every NaN is one value, as are both zeros.
//!
//! ```text
//! x < 5.0            →  x < 5.0 AND NOT isnan(x)      statistics, which leave NaN out, still prune it
//! x <> 5.0           →  x <> 5.0 OR isnan(x)          and here they do not
//! a.x = b.y          →  float_key(a.x) = float_key(b.y) AND NOT isnan(a.x)
//! GROUP BY x         →  GROUP BY float_key(x)         likewise ORDER BY, PARTITION BY, DISTINCT and keys of joins
//! ```

use super::walk;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, NullEquality, Result};
use datafusion::functions::math::isnan;
use datafusion::logical_expr::expr::{AggregateFunction, Between, ScalarFunction, Sort as SortExpr, WindowFunction};
use datafusion::logical_expr::{
    AggregateUDF, BinaryExpr, Distinct, Expr, ExprSchemable, Join, LogicalPlan, LogicalPlanBuilder, Operator,
    WindowFunctionDefinition, not,
};
use datafusion::optimizer::AnalyzerRule;
use mayfly_fragment::trino::extreme::Extreme;
use mayfly_fragment::trino::float;
use std::sync::Arc;

/// Nodes of operands that may stand twice in a plan. Larger ones nest, and would double at each level.
const OPERAND_NODES_MAX: usize = 12;

/// Runs after types were coerced.
#[derive(Debug)]
pub(super) struct Floats;

impl AnalyzerRule for Floats {
    fn name(&self) -> &'static str {
        "trino_floats"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let compared = walk::expressions(plan, compared)?;
        let keyed =
            compared.transform_up_with_subqueries(|node| keyed(node)?.map_data(LogicalPlan::recompute_schema))?;
        Ok(keyed.data)
    }
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

fn compared(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match &expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if float::comparison(*op).is_some() => {
            match is_float(&left.get_type(schema)?) && is_float(&right.get_type(schema)?) {
                true => Ok(Transformed::yes(comparison(left, *op, right))),
                false => Ok(Transformed::no(expression)),
            }
        }
        Expr::Between(between) if is_float(&between.expr.get_type(schema)?) => Ok(Transformed::yes(range(between))),
        Expr::WindowFunction(window) => window_keys(window, schema),
        Expr::AggregateFunction(aggregate) => aggregate_keys(aggregate, schema),
        _ => Ok(Transformed::no(expression)),
    }
}

fn comparison(left: &Expr, operator: Operator, right: &Expr) -> Expr {
    if nodes(left) + nodes(right) > OPERAND_NODES_MAX
        && let Some(function) = float::comparison(operator)
    {
        let operands = vec![left.clone(), right.clone()];
        return Expr::ScalarFunction(ScalarFunction::new_udf(function, operands));
    }
    let unknown: Vec<Expr> = [left, right]
        .into_iter()
        .filter(|operand| may_be_nan(operand))
        .cloned()
        .collect();
    // Where both are NaN they are equal as keys: one of them tells.
    let (compared, telling) = match (operator, unknown.len()) {
        (Operator::Eq | Operator::NotEq, 2) => (binary(key(left.clone()), operator, key(right.clone())), 1),
        (_, count) => (binary(left.clone(), operator, right.clone()), count),
    };
    let nans = unknown
        .into_iter()
        .take(telling)
        .map(|operand| isnan().call(vec![operand]));
    match operator {
        Operator::NotEq => nans.fold(compared, |all, is_nan| all.or(is_nan)),
        _ => nans.fold(compared, |all, is_nan| all.and(not(is_nan))),
    }
}

fn range(between: &Between) -> Expr {
    let low = comparison(&between.expr, Operator::GtEq, &between.low);
    let high = comparison(&between.expr, Operator::LtEq, &between.high);
    let inside = low.and(high);
    if between.negated { not(inside) } else { inside }
}

fn binary(left: Expr, operator: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)))
}

fn may_be_nan(operand: &Expr) -> bool {
    match operand {
        Expr::Literal(value, _) => {
            let float = value.cast_to(&DataType::Float64).ok();
            !matches!(float, Some(datafusion::common::ScalarValue::Float64(value)) if value.is_none_or(|value| !value.is_nan()))
        }
        Expr::Cast(cast) => may_be_nan(&cast.expr),
        _ => true,
    }
}

fn nodes(expression: &Expr) -> usize {
    let mut count = 0;
    let counted = expression.apply(|_| {
        count += 1;
        Ok(TreeNodeRecursion::Continue)
    });
    counted.map_or(usize::MAX / 2, |_| count)
}

fn key(float: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(float::key(), vec![float]))
}

fn is_key(expression: &Expr) -> bool {
    matches!(expression, Expr::ScalarFunction(call) if call.name() == float::key().name())
}

/// The expression as a key, if it is a float and none yet.
fn as_key(expression: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    let wanted = !is_key(expression) && is_float(&expression.get_type(schema)?);
    Ok(wanted.then(|| key(expression.clone())))
}

fn as_keys(expressions: &mut [Expr], schema: &DFSchema) -> Result<bool> {
    let mut changed = false;
    for expression in expressions {
        if let Some(key) = as_key(expression, schema)? {
            *expression = key;
            changed = true;
        }
    }
    Ok(changed)
}

fn as_sort_keys(order: &mut [SortExpr], schema: &DFSchema) -> Result<bool> {
    let mut changed = false;
    for sort in order {
        changed |= as_keys(std::slice::from_mut(&mut sort.expr), schema)?;
    }
    Ok(changed)
}

fn window_keys(window: &WindowFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let mut window = window.clone();
    let params = &mut window.params;
    let mut changed = as_keys(&mut params.partition_by, schema)? | as_sort_keys(&mut params.order_by, schema)?;
    if let WindowFunctionDefinition::AggregateUDF(aggregate) = &window.fun
        && let Some(extreme) = extreme(aggregate.name(), &params.args, schema)?
    {
        window.fun = WindowFunctionDefinition::AggregateUDF(extreme);
        changed = true;
    }
    Ok(Transformed::new_transformed(Expr::from(window), changed))
}

fn aggregate_keys(aggregate: &AggregateFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let mut aggregate = aggregate.clone();
    let mut changed = as_sort_keys(&mut aggregate.params.order_by, schema)?;
    if aggregate.params.distinct {
        changed |= as_keys(&mut aggregate.params.args, schema)?;
    }
    if let Some(extreme) = extreme(aggregate.func.name(), &aggregate.params.args, schema)? {
        aggregate.func = extreme;
        changed = true;
    }
    Ok(Transformed::new_transformed(
        Expr::AggregateFunction(aggregate),
        changed,
    ))
}

/// `min` or `max` of floats.
fn extreme(name: &str, arguments: &[Expr], schema: &DFSchema) -> Result<Option<Arc<AggregateUDF>>> {
    let [argument] = arguments else {
        return Ok(None);
    };
    let Some(extreme) = Extreme::instead_of(name) else {
        return Ok(None);
    };
    Ok(is_float(&argument.get_type(schema)?).then_some(extreme))
}

/// A node whose keys are floats, with them as keys.
fn keyed(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Sort(mut sort) => {
            let changed = as_sort_keys(&mut sort.expr, sort.input.schema())?;
            Ok(Transformed::new_transformed(LogicalPlan::Sort(sort), changed))
        }
        LogicalPlan::Join(mut join) => {
            let changed = join_keys(&mut join)?;
            Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
        }
        LogicalPlan::Aggregate(aggregate) => match float_groups(&aggregate.group_expr, aggregate.input.schema())? {
            None => Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))),
            Some(groups) => {
                let input = aggregate.input.clone();
                let keyed = datafusion::logical_expr::Aggregate::try_new(input, groups, aggregate.aggr_expr.clone())?;
                Ok(Transformed::yes(LogicalPlan::Aggregate(keyed)))
            }
        },
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let schema = input.schema().clone();
            if !schema.fields().iter().any(|field| is_float(field.data_type())) {
                return Ok(Transformed::no(LogicalPlan::Distinct(Distinct::All(input))));
            }
            let columns = schema.columns().into_iter().map(|column| {
                let (relation, name) = (column.relation.clone(), column.name.clone());
                let column = Expr::Column(column);
                Ok(match as_key(&column, &schema)? {
                    Some(key) => key.alias_qualified(relation, name),
                    None => column,
                })
            });
            let columns: Vec<Expr> = columns.collect::<Result<_>>()?;
            let input = LogicalPlanBuilder::from(input.as_ref().clone())
                .project(columns)?
                .build()?;
            Ok(Transformed::yes(LogicalPlan::Distinct(Distinct::All(input.into()))))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn join_keys(join: &mut Join) -> Result<bool> {
    // Where NULL meets NULL (INTERSECT, EXCEPT) NaN meets NaN; else nothing is equal to it, and `compared` could not see these pairs.
    let mut changed = false;
    for (left, right) in &mut join.on {
        let keys = (as_key(left, join.left.schema())?, as_key(right, join.right.schema())?);
        let (Some(left_key), Some(right_key)) = keys else {
            continue;
        };
        if join.null_equality == NullEquality::NullEqualsNothing {
            let number = not(isnan().call(vec![left.clone()]));
            join.filter = Some(match join.filter.take() {
                Some(filter) => filter.and(number),
                None => number,
            });
        }
        (*left, *right) = (left_key, right_key);
        changed = true;
    }
    Ok(changed)
}

fn float_groups(groups: &[Expr], schema: &DFSchema) -> Result<Option<Vec<Expr>>> {
    let mut keyed = Vec::new();
    let mut changed = false;
    for group in groups.iter().cloned() {
        let group = match group {
            Expr::GroupingSet(_) => group.map_children(|key| float_group(key, schema))?,
            group => float_group(group, schema)?,
        };
        changed |= group.transformed;
        keyed.push(group.data);
    }
    Ok(changed.then_some(keyed))
}

/// One key of a grouping, under its name.
fn float_group(group: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let (relation, name) = group.qualified_name();
    Ok(match as_key(&group, schema)? {
        Some(key) => Transformed::yes(key.alias_qualified(relation, name)),
        None => Transformed::no(group),
    })
}
