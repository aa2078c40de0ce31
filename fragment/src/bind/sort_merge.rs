//! Joins for a task that runs short of memory: sorted and merged, which spills, instead of hashed, which does not.
//!
//! ```text
//! HashJoin           Projection?  (columns that the join gave)
//!   build              Sort?      (the order that the join kept)
//!   probe     →          SortMergeJoin
//!                          Sort build
//!                          Sort probe
//! ```
//! Left as they are: null-aware joins, keys of nested types, and collected build sides over several partitions, which would have to be
//! read once for each.

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::Result;
use datafusion::physical_expr::{LexOrdering, PhysicalExprRef, PhysicalSortExpr};
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use std::sync::Arc;

/// The same join by sorting and merging; the node itself if it is none that can be done so.
pub(super) fn instead(node: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    match node.downcast_ref::<HashJoinExec>() {
        Some(join) if can(join) => merged(join),
        _ => Ok(node),
    }
}

fn can(join: &HashJoinExec) -> bool {
    let collected = *join.partition_mode() == PartitionMode::CollectLeft;
    let several = join.right().output_partitioning().partition_count() > 1;
    let flat = |key: &PhysicalExprRef| {
        let data_type = key.data_type(&join.left().schema());
        data_type.is_ok_and(|data_type| !data_type.is_nested())
    };
    if join.null_aware || (collected && several) {
        return false;
    }
    join.on().iter().all(|(left, _)| flat(left))
}

fn merged(join: &HashJoinExec) -> Result<Arc<dyn ExecutionPlan>> {
    let (left, right): (Vec<_>, Vec<_>) = join.on().iter().cloned().unzip();
    let options = vec![SortOptions::default(); left.len()];
    let merge = SortMergeJoinExec::try_new(
        sorted(join.left(), keys(left)),
        sorted(join.right(), keys(right)),
        join.on().to_vec(),
        join.filter().map(nullable),
        *join.join_type(),
        options,
        join.null_equality(),
    )?;
    let columns = projected(join, Arc::new(merge))?;
    Ok(sorted(&columns, join.properties().output_ordering().cloned()))
}

/// A merge evaluates the filter of an outer join over rows that it has filled up with nulls.
fn nullable(filter: &JoinFilter) -> JoinFilter {
    let fields = filter.schema().fields().iter();
    let fields: Vec<Field> = fields.map(|field| field.as_ref().clone().with_nullable(true)).collect();
    JoinFilter::new(
        Arc::clone(filter.expression()),
        filter.column_indices().to_vec(),
        Arc::new(Schema::new(fields)),
    )
}

fn keys(keys: Vec<PhysicalExprRef>) -> Option<LexOrdering> {
    LexOrdering::new(keys.into_iter().map(PhysicalSortExpr::new_default))
}

fn sorted(plan: &Arc<dyn ExecutionPlan>, ordering: Option<LexOrdering>) -> Arc<dyn ExecutionPlan> {
    match ordering {
        Some(ordering) => Arc::new(SortExec::new(ordering, Arc::clone(plan)).with_preserve_partitioning(true)),
        None => Arc::clone(plan),
    }
}

/// The columns that the hash join yields of all that it could.
fn projected(join: &HashJoinExec, merge: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(columns) = &join.projection else {
        return Ok(merge);
    };
    let schema = merge.schema();
    let column = |&at: &usize| -> Result<ProjectionExpr> {
        let name = schema.field(at).name();
        let expr = Arc::new(datafusion::physical_expr::expressions::Column::new(name, at));
        Ok(ProjectionExpr::new(expr, name.clone()))
    };
    let columns = columns.iter().map(column).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(ProjectionExec::try_new(columns, merge)?))
}

#[cfg(test)]
mod tests;
