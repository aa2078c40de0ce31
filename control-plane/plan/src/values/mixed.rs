//! Where a float meets a decimal both are floats, as they are in arithmetic: DataFusion would make both decimals wherever values are compared
//! or unified, and no decimal holds NaN or 1e300. And times of a day with different units are in the finest, where DataFusion refuses them.

use super::walk;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, Union, cast};
use datafusion::optimizer::AnalyzerRule;
use std::sync::Arc;

/// Runs before types are coerced.
#[derive(Debug)]
pub(super) struct FloatsMeetDecimals;

/// Functions whose arguments get one type.
const UNIFYING: [&str; 7] = ["coalesce", "greatest", "ifnull", "least", "make_array", "nvl", "nvl2"];

impl AnalyzerRule for FloatsMeetDecimals {
    fn name(&self) -> &'static str {
        "floats_meet_decimals"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = walk::expressions(plan, |mut expression, schema| {
            let changed = unified(&mut expression, schema)?;
            Ok(Transformed::new_transformed(expression, changed))
        })?;
        let rewritten = rewritten.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Union(union) => branches(union)?.map_data(LogicalPlan::recompute_schema),
            other => other.recompute_schema().map(Transformed::no),
        })?;
        Ok(rewritten.data)
    }
}

fn unified(expression: &mut Expr, schema: &DFSchema) -> Result<bool> {
    match expression {
        Expr::BinaryExpr(binary) if compares(binary.op) => {
            one_type(vec![&mut *binary.left, &mut *binary.right], schema)
        }
        Expr::Between(between) => {
            let values = vec![&mut *between.expr, &mut *between.low, &mut *between.high];
            one_type(values, schema)
        }
        Expr::InList(list) => {
            let values = std::iter::once(&mut *list.expr).chain(&mut list.list);
            one_type(values.collect(), schema)
        }
        Expr::Case(case) => {
            let (mut whens, mut thens) = (Vec::new(), Vec::new());
            for (when, then) in &mut case.when_then_expr {
                whens.push(&mut **when);
                thens.push(&mut **then);
            }
            thens.extend(case.else_expr.as_deref_mut());
            let compared = match case.expr.as_deref_mut() {
                Some(value) => {
                    whens.push(value);
                    one_type(whens, schema)?
                }
                None => false,
            };
            Ok(one_type(thens, schema)? | compared)
        }
        Expr::ScalarFunction(call) if UNIFYING.contains(&call.func.name()) => {
            one_type(call.args.iter_mut().collect(), schema)
        }
        _ => Ok(false),
    }
}

fn compares(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(
        operator,
        Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom
    )
}

fn one_type(values: Vec<&mut Expr>, schema: &DFSchema) -> Result<bool> {
    // What has no type yet is coerced as ever.
    let types: Vec<Option<DataType>> = values.iter().map(|value| value.get_type(schema).ok()).collect();
    let Some(common) = common_of(types.iter().flatten()) else {
        return Ok(false);
    };
    for (value, data_type) in values.into_iter().zip(types) {
        if data_type.is_some_and(|data_type| gives_way(&data_type)) {
            *value = cast(std::mem::take(value), common.clone());
        }
    }
    Ok(true)
}

/// Nanoseconds of a day.
pub(super) const FINEST_TIME: DataType = DataType::Time64(TimeUnit::Nanosecond);

pub(super) fn are_times_apart(one: &DataType, other: &DataType) -> bool {
    is_time(one) && is_time(other) && one != other
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Time32(_) | DataType::Time64(_))
}

/// What is made of values of these types that DataFusion would make something else of.
fn common_of<'a>(mut types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    let first_time = types.clone().find(|data_type| is_time(data_type));
    match first_time {
        Some(time) => types.any(|other| are_times_apart(time, other)).then_some(FINEST_TIME),
        None => float_of(types),
    }
}

fn gives_way(data_type: &DataType) -> bool {
    data_type.is_decimal() || is_time(data_type)
}

/// The widest float, if there are both floats and decimals.
fn float_of<'a>(types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    let has = |wanted: DataType| types.clone().any(|data_type| *data_type == wanted);
    let has_decimal = types.clone().any(DataType::is_decimal);
    let float = [DataType::Float64, DataType::Float32]
        .into_iter()
        .find(|float| has(float.clone()));
    float.filter(|_| has_decimal)
}

/// A union in whose branches a column is a float here and a decimal there, or a time of another unit.
fn branches(union: Union) -> Result<Transformed<LogicalPlan>> {
    let columns = union.schema.fields().len();
    let types = |at: usize| {
        let fields = union
            .inputs
            .iter()
            .filter_map(move |input| input.schema().fields().get(at));
        fields.map(|field| field.data_type())
    };
    let commons: Vec<Option<DataType>> = (0..columns).map(|at| common_of(types(at))).collect();
    if commons.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let inputs = union.inputs.iter().map(|input| branch(input, &commons));
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    Ok(Transformed::yes(LogicalPlan::Union(Union { inputs, ..union })))
}

fn branch(input: &Arc<LogicalPlan>, commons: &[Option<DataType>]) -> Result<Arc<LogicalPlan>> {
    let columns = input.schema().iter().zip(commons).map(|((relation, field), common)| {
        let column = Expr::Column(Column::new(relation.cloned(), field.name()));
        match common {
            Some(common) => cast(column, common.clone()).alias_qualified(relation.cloned(), field.name()),
            None => column,
        }
    });
    let projected = LogicalPlanBuilder::from(input.as_ref().clone()).project(columns.collect::<Vec<_>>())?;
    Ok(Arc::new(projected.build()?))
}
