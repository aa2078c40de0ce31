//! A union of unions becomes one union. Each branch has the names of its own union before it stands in the other.
//!
//! ```text
//! Union                         Union
//!   Projection: CAST(a)           Projection: CAST(a)
//!     Union            →            TableScan: t (a)
//!       TableScan: t (a)          Projection: CAST(a)
//!       TableScan: u (b)            Projection: b AS a
//!   TableScan: v                      TableScan: u (b)
//!                                 TableScan: v
//! ```
//!
//! DataFusion would put `CAST(a)` above `u`, which has no column of that name.

use super::empty_branches::renamed;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{LogicalPlan, Union};
use datafusion::optimizer::optimize_unions::OptimizeUnions;
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// DataFusion's rule, behind the names.
#[derive(Debug, Default)]
pub(crate) struct NestedUnions(OptimizeUnions);

impl OptimizerRule for NestedUnions {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let plan = match plan {
            LogicalPlan::Union(_) => plan.map_children(projected)?.data,
            plan => plan,
        };
        self.0.rewrite(plan, config)
    }
}

/// A union below a projection.
fn projected(branch: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match branch {
        LogicalPlan::Projection(_) => branch.map_children(named),
        branch => Ok(Transformed::no(branch)),
    }
}

fn named(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Union(union) = plan else {
        return Ok(Transformed::no(plan));
    };
    let names = union.schema.columns();
    let name = |branch: &Arc<LogicalPlan>| match branch.schema().columns() == names {
        true => Ok(Arc::clone(branch)),
        false => renamed(branch, &union).map(Arc::new),
    };
    let inputs = union.inputs.iter().map(name).collect::<Result<Vec<_>>>()?;
    let schema = Arc::clone(&union.schema);
    Ok(Transformed::yes(LogicalPlan::Union(Union { inputs, schema })))
}
