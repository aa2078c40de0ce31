//! A union whose first branches are empty. Its names stay those of the first.
//!
//! ```text
//! SELECT a FROM t WHERE false UNION SELECT b FROM u   →   SELECT b AS a FROM u
//! ```
//!
//! DataFusion looks for the union's names among the columns of the branches that are left.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Projection, Union};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// DataFusion's rule, but for such unions.
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
        match &plan {
            LogicalPlan::Union(union) => match left(union)? {
                Some(left) => Ok(Transformed::yes(left)),
                None => self.0.rewrite(plan, config),
            },
            _ => self.0.rewrite(plan, config),
        }
    }
}

/// What is left of the union, if its first branch has no rows, or one branch alone has some.
fn left(union: &Union) -> Result<Option<LogicalPlan>> {
    let with_rows: Vec<_> = union.inputs.iter().filter(|input| !is_empty(input)).collect();
    let first_is_empty = union.inputs.first().is_some_and(|first| is_empty(first));
    match with_rows.as_slice() {
        [only] if union.inputs.len() > 1 => renamed(only, union).map(Some),
        [first, others @ ..] if first_is_empty => {
            let first = Arc::new(renamed(first, union)?);
            let inputs = std::iter::once(first).chain(others.iter().map(|input| Arc::clone(input)));
            Ok(Some(LogicalPlan::Union(Union {
                inputs: inputs.collect(),
                schema: Arc::clone(&union.schema),
            })))
        }
        _ => Ok(None),
    }
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
pub(super) fn renamed(branch: &Arc<LogicalPlan>, union: &Union) -> Result<LogicalPlan> {
    let names = union.schema.columns().into_iter();
    let columns = branch.schema().columns().into_iter();
    let renamed = columns
        .zip(names)
        .map(|(own, name): (Column, Column)| match own == name {
            true => Expr::Column(own),
            false => Expr::Column(own).alias_qualified(name.relation, name.name),
        });
    Projection::try_new(renamed.collect(), Arc::clone(branch)).map(LogicalPlan::Projection)
}
