//! Statement → logical → physical plan, by DataFusion; and what its errors mean where only the statement knows: which table, and
//! where it stands.

use crate::context::Context;
use crate::rewrite::{join_keys, multiset, sample};
use crate::{Session, error, misread, outer, sql, weight};
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result as DfResult};
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::sql::parser::Statement as DfStatement;
use mayfly_protocol::{ErrorCode, QueryError};
use std::sync::Arc;

/// Checks names and types. Nothing but a query passes.
pub(crate) async fn logical(context: &Context, ast: DfStatement, session: &Session) -> Result<LogicalPlan, QueryError> {
    sql::check_clauses(&ast, &context.state)?;
    let statement = ast.clone();
    let ast = match with_merged_columns(context, ast, session).await {
        Err(error) if !context.missing.is_empty() => {
            return Err(missing(context, statement, session).await.unwrap_or(error));
        }
        merged => merged?,
    };
    let planned = context.state.statement_to_plan(ast).await;
    let plan = planned.map_err(|cause| misread::explain(context, &statement, session, cause))?;
    // Before anything else walks it.
    weight::check(&plan)?;
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)
        .map_err(error::from_datafusion)?;
    refuse_places(&plan)?;
    refuse_crowds(&plan)?;
    outer::refuse_aggregates(&plan)?;
    let Some(random) = context.state.scalar_functions().get("random") else {
        return Err(error::internal("random is not registered"));
    };
    let plan = sample::rewrite(plan, random, session.now)?;
    match context.state.window_functions().get("row_number") {
        Some(numbered) => multiset::rewrite(plan, numbered),
        None => Err(error::internal("row_number is not registered")),
    }
}

/// What is wrong with the statement if one of its tables is not there.
async fn missing(context: &Context, statement: DfStatement, session: &Session) -> Option<QueryError> {
    let cause = context.state.statement_to_plan(statement.clone()).await.err()?;
    let error = misread::explain(context, &statement, session, cause);
    let mut reasons = context.missing.values();
    reasons.any(|reason| reason.code == error.code).then_some(error)
}

/// Joins that merge columns need to know those of the tables.
async fn with_merged_columns(
    context: &Context,
    mut ast: DfStatement,
    session: &Session,
) -> Result<DfStatement, QueryError> {
    if sql::merges_columns(&ast) {
        let tables = context.columns(&ast, session).await?;
        sql::merge_columns(&mut ast, &tables, session)?;
    }
    Ok(ast)
}

/// Tables in one query, each as often as it is named. Planning takes time that grows faster than their number.
const TABLES_MAX: usize = 200;

fn refuse_crowds(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut tables = 0;
    let walked = plan.apply_with_subqueries(|node| {
        tables += usize::from(matches!(node, LogicalPlan::TableScan(_)));
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(error::from_datafusion)?;
    if tables <= TABLES_MAX {
        return Ok(());
    }
    let text = format!("the query is too complex: it reads {tables} tables, more than {TABLES_MAX}");
    let error = QueryError::new(ErrorCode::TooComplex, text);
    Err(error.hint("a table counts each time that it is named"))
}

/// Functions that tell where a row lies. A scan does not keep that.
const PLACES: [&str; 2] = ["file_row_index", "input_file_name"];

fn refuse_places(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut found = None;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if let Expr::ScalarFunction(call) = part {
                    found = found.or(PLACES.into_iter().find(|name| *name == call.name()));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    walked.map_err(error::from_datafusion)?;
    found.map_or(Ok(()), |name| {
        let text = format!("{name}() is not supported: a scan does not keep where its rows lie");
        Err(error::not_supported(text).hint("files in folders such as day=2026-01-01 give their rows a column instead"))
    })
}

/// Optimizes, and plans for execution.
pub(crate) async fn physical(
    context: &Context,
    logical: &LogicalPlan,
) -> Result<(LogicalPlan, Arc<dyn ExecutionPlan>), QueryError> {
    let state = &context.state;
    let optimized = optimized(state, logical).map_err(error::from_datafusion)?;
    let physical = state.query_planner().create_physical_plan(&optimized, state).await;
    let physical = physical.map_err(error::from_datafusion)?;
    check_aggregates(&physical)?;
    Ok((optimized, physical))
}

/// A percentile beyond 1 or an order that DISTINCT does not allow is known only to the accumulator: better here than in every task.
fn check_aggregates(plan: &Arc<dyn ExecutionPlan>) -> Result<(), QueryError> {
    let checked = plan.apply(|node| {
        if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
            for function in aggregate.aggr_expr() {
                function.create_accumulator()?;
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    checked.map(drop).map_err(|cause| {
        let error = error::from_datafusion(cause);
        match error.code {
            ErrorCode::GenericUserError => QueryError::new(ErrorCode::InvalidFunctionArgument, error.message),
            _ => error,
        }
    })
}

/// DataFusion's optimizer may widen a result's decimals on the way (a sum that became a sum of sums); these columns get back the precision
/// that the query has. It is told once types are coerced: before, a union has the types of its first branch. A scale is the optimizer's to
/// tell: only there the second argument of `round` is a literal again.
fn optimized(state: &SessionState, logical: &LogicalPlan) -> DfResult<LogicalPlan> {
    let analyzer = state.analyzer();
    let analyzed = analyzer.execute_and_check(logical.clone(), state.config_options(), |_, _| {})?;
    let written = Arc::clone(analyzed.schema());
    let optimized = join_keys::settled(state.optimizer().optimize(analyzed, state, |_, _| {})?)?;
    let widened = |found: &DataType, wanted: &DataType| {
        scale(found).is_some() && scale(found) == scale(wanted) && found != wanted
    };
    let pairs = optimized.schema().iter().zip(written.iter());
    let columns = pairs.map(|((qualifier, found), (_, wanted))| {
        let column = Expr::Column(Column::new(qualifier.cloned(), found.name()));
        match widened(found.data_type(), wanted.data_type()) {
            false => (column, false),
            true => {
                let narrowed = cast(column, wanted.data_type().clone());
                (narrowed.alias_qualified(qualifier.cloned(), found.name()), true)
            }
        }
    });
    let (columns, casts): (Vec<Expr>, Vec<bool>) = columns.unzip();
    if casts.contains(&true) {
        return LogicalPlanBuilder::from(optimized).project(columns)?.build();
    }
    Ok(optimized)
}

/// Of a decimal.
fn scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}
