//! A union of which one branch is left.
//!
//! ```text
//! SELECT a FROM t WHERE false UNION SELECT b FROM u   →   SELECT b AS a FROM u
//! ```
//!
//! DataFusion looks for the union's names among the branch's columns.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Projection, Union};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// DataFusion's rule, but for that union.
#[derive(Debug, Default)]
pub(crate) struct EmptyBranches(PropagateEmptyRelation);

impl OptimizerRule for EmptyBranches {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let left = match &plan {
            LogicalPlan::Union(union) => branch_left(union),
            _ => None,
        };
        match left {
            Some(branch) => Ok(Transformed::yes(renamed(&branch, &plan)?)),
            None => self.0.rewrite(plan, config),
        }
    }
}

/// The only branch with rows, if others have none.
fn branch_left(union: &Union) -> Option<Arc<LogicalPlan>> {
    let mut with_rows = union.inputs.iter().filter(|input| !is_empty(input));
    let only = with_rows.next().filter(|_| union.inputs.len() > 1)?;
    with_rows.next().is_none().then(|| Arc::clone(only))
}

fn is_empty(plan: &LogicalPlan) -> bool {
    matches!(
        plan,
        LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            ..
        })
    )
}

/// By position: the branch's columns under the union's names.
fn renamed(branch: &Arc<LogicalPlan>, union: &LogicalPlan) -> Result<LogicalPlan> {
    let names = union.schema().columns().into_iter();
    let columns = branch.schema().columns().into_iter();
    let renamed = columns
        .zip(names)
        .map(|(own, name): (Column, Column)| match own == name {
            true => Expr::Column(own),
            false => Expr::Column(own).alias_qualified(name.relation, name.name),
        });
    Projection::try_new(renamed.collect(), Arc::clone(branch)).map(LogicalPlan::Projection)
}
