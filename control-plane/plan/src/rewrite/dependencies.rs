//! What the columns of a grouping determine.
//!
//! DataFusion takes over from a grouping's input which columns determine others, and lets them determine the whole grouping:
//!
//! ```text
//! SELECT DISTINCT a.k, b.f FROM (SELECT DISTINCT k FROM t) a JOIN u b ON b.k = a.k
//! ```
//!
//! `k` determines every column of `a`, so it is said to determine `f` as well. A grouping by `k, f` above becomes one by `k`, and an order
//! by `k, f` one by `k`. Here all keys of a grouping together determine its columns, and no fewer do. A grouping by more columns than are
//! needed costs little; one by fewer is wrong.

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Dependency, FunctionalDependence, FunctionalDependencies, Result};
use datafusion::logical_expr::{Aggregate, LogicalPlan};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// Runs before each of DataFusion's rules that leave out what is determined. Rules between them make groupings anew.
#[derive(Debug)]
pub(crate) struct Dependencies;

impl Dependencies {
    pub(crate) const BEFORE: [&str; 2] = ["eliminate_duplicated_expr", "optimize_projections"];
}

impl OptimizerRule for Dependencies {
    fn name(&self) -> &str {
        "mayfly_dependencies"
    }

    /// Plans with one grouping inherit nothing; they stay as they are.
    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let mut inherited = false;
        plan.apply_with_subqueries(|node| {
            inherited |= matches!(node, LogicalPlan::Aggregate(grouping) if inherits(grouping));
            let stop = inherited.then_some(TreeNodeRecursion::Stop);
            Ok(stop.unwrap_or(TreeNodeRecursion::Continue))
        })?;
        match inherited {
            true => plan.transform_up_with_subqueries(own_keys),
            false => Ok(Transformed::no(plan)),
        }
    }
}

/// Whether fewer than all keys are said to determine the columns.
fn inherits(grouping: &Aggregate) -> bool {
    let dependencies = grouping.schema.functional_dependencies();
    dependencies
        .iter()
        .any(|dependence| dependence.source_indices.len() < grouping.group_expr.len())
}

/// The node with the dependencies of its changed input.
fn own_keys(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    Ok(Transformed::yes(match node.recompute_schema()? {
        LogicalPlan::Aggregate(mut grouping) if inherits(&grouping) => {
            let schema = Arc::unwrap_or_clone(grouping.schema);
            let keys: Vec<usize> = (0..grouping.group_expr.len()).collect();
            let nullable = keys.iter().any(|key| schema.field(*key).is_nullable());
            let all = (0..schema.fields().len()).collect();
            let own = FunctionalDependence::new(keys, all, nullable).with_mode(Dependency::Single);
            grouping.schema = Arc::new(schema.with_functional_dependencies(FunctionalDependencies::new(vec![own]))?);
            LogicalPlan::Aggregate(grouping)
        }
        other => other,
    }))
}
