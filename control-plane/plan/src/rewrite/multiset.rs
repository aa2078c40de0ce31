//! INTERSECT and EXCEPT of the bound plan. DataFusion's binder makes semi and anti joins of them, whatever the multiplicities, and gives
//! the result the left side's types. Here the rows of `ALL` are numbered among their equals, so that the third of its kind on the left
//! needs a third on the right:
//!
//! ```text
//! LeftAnti(a = a)          Projection(a)
//!   left            →        LeftAnti(a = a, number = number)
//!   right                      row_number() OVER (PARTITION BY a)
//!                                left, cast
//!                              row_number() OVER (PARTITION BY a)
//!                                right, cast
//! ```
//!
//! Runs before types are coerced, on what the binder made: nothing else there joins on all columns with NULLs equal.

use crate::error;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DataFusionError, JoinType, NullEquality, Result};
use datafusion::logical_expr::binary::type_union_coercion;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Distinct, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition, WindowUDF, cast,
};
use mayfly_protocol::{ErrorCode, QueryError};
use std::sync::Arc;

/// `numbered`: the function `row_number`, as tasks know it.
pub(crate) fn rewrite(plan: LogicalPlan, numbered: &Arc<WindowUDF>) -> std::result::Result<LogicalPlan, QueryError> {
    let rewritten = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) if is_set_operation(&join) => operation(join, numbered).map(Transformed::yes),
        node => node.recompute_schema().map(Transformed::no),
    });
    rewritten.map(|plan| plan.data).map_err(error::from_datafusion)
}

fn is_set_operation(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.filter.is_none()
        && join.on.len() == join.left.schema().fields().len()
}

fn operation(join: Join, numbered: &Arc<WindowUDF>) -> Result<LogicalPlan> {
    let types = common_types(&join)?;
    let (left, right) = (Arc::unwrap_or_clone(join.left), Arc::unwrap_or_clone(join.right));
    match left {
        // Types first: rows that differ may be the same in the common type.
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let left = LogicalPlanBuilder::from(cast_to(Arc::unwrap_or_clone(input), &types)?).distinct()?;
            joined(left.build()?, cast_to(right, &types)?, join.join_type)
        }
        left => {
            let left = number(cast_to(left, &types)?, LEFT, numbered)?;
            let right = number(cast_to(right, &types)?, RIGHT, numbered)?;
            let columns = left.schema().columns();
            let columns = columns
                .into_iter()
                .filter(|column| column.name != LEFT)
                .map(Expr::Column);
            let columns: Vec<Expr> = columns.collect();
            LogicalPlanBuilder::from(joined(left, right, join.join_type)?)
                .project(columns)?
                .build()
        }
    }
}

const LEFT: &str = "__number_left";
const RIGHT: &str = "__number_right";

fn common_types(join: &Join) -> Result<Vec<DataType>> {
    let pairs = join
        .left
        .schema()
        .fields()
        .iter()
        .zip(join.right.schema().fields().iter());
    let common = pairs.enumerate().map(|(at, (left, right))| {
        let (left, right) = (left.data_type(), right.data_type());
        type_union_coercion(left, right).ok_or_else(|| {
            let (left, right) = (crate::types::type_name(left), crate::types::type_name(right));
            let message = format!(
                "column {} of a set operation has incompatible types: {left}, {right}",
                at + 1
            );
            let error = QueryError::new(ErrorCode::TypeMismatch, message);
            DataFusionError::External(Box::new(error.hint("cast one of them")))
        })
    });
    common.collect()
}

/// The plan with its columns in these types, under their names.
fn cast_to(plan: LogicalPlan, types: &[DataType]) -> Result<LogicalPlan> {
    let fields = plan.schema().fields().iter().zip(types);
    if fields.clone().all(|(field, wanted)| field.data_type() == wanted) {
        return Ok(plan);
    }
    let columns = plan.schema().columns().into_iter().zip(fields);
    let columns = columns.map(|(column, (field, wanted))| match field.data_type() == wanted {
        true => Expr::Column(column),
        false => {
            let Column { relation, name, .. } = column.clone();
            cast(Expr::Column(column), wanted.clone()).alias_qualified(relation, name)
        }
    });
    let columns: Vec<Expr> = columns.collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// The plan with one more column: the how-manieth of its kind each row is.
fn number(plan: LogicalPlan, name: &str, numbered: &Arc<WindowUDF>) -> Result<LogicalPlan> {
    let columns: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
    let function = WindowFunctionDefinition::WindowUDF(numbered.clone());
    let number = Expr::from(WindowFunction::new(function, Vec::new()))
        .partition_by(columns.clone())
        .build()?;
    let numbered = Expr::Column(Column::from_name(number.schema_name().to_string()));
    let columns = columns.into_iter().chain([numbered.alias(name)]);
    LogicalPlanBuilder::from(plan)
        .window([number])?
        .project(columns)?
        .build()
}

/// Rows with all columns equal meet.
fn joined(left: LogicalPlan, right: LogicalPlan, join_type: JoinType) -> Result<LogicalPlan> {
    let keys = (left.schema().columns(), right.schema().columns());
    LogicalPlanBuilder::from(left)
        .join_detailed(right, join_type, keys, None, NullEquality::NullEqualsNull)?
        .build()
}
