//! `WHERE t = lower(t)`: DataFusion takes the two for one expression and puts one for the other wherever it compares orders. As the one
//! holds the other it then looks for an order by `lower(lower(t))`, which is nobody's. The filter says the same in other words, and of orders
//! nothing:
//!
//! ```text
//! FilterExec: t = lower(t)   →   FilterExec: NOT t <> lower(t)
//! ```

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::utils::{conjunction, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::expressions::{BinaryExpr, NotExpr};
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use std::sync::Arc;

/// Runs before orders are compared.
#[derive(Debug)]
pub(crate) struct OwnEqual;

impl PhysicalOptimizerRule for OwnEqual {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let visit = |plan: Arc<dyn ExecutionPlan>| {
            let filter = plan.downcast_ref::<FilterExec>();
            let other = filter.map(reworded).transpose()?.flatten();
            Ok(other.map_or_else(|| Transformed::no(plan), Transformed::yes))
        };
        plan.transform_up(visit).data()
    }

    fn name(&self) -> &str {
        "mayfly_own_equal"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn reworded(filter: &FilterExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let conjuncts = split_conjunction(filter.predicate());
    if !conjuncts.iter().any(|conjunct| own_equal(conjunct).is_some()) {
        return Ok(None);
    }
    let conjuncts = conjuncts.into_iter();
    let conjuncts = conjuncts.map(|conjunct| own_equal(conjunct).unwrap_or_else(|| Arc::clone(conjunct)));
    let filter = FilterExecBuilder::from(filter).with_predicate(conjunction(conjuncts));
    Ok(Some(Arc::new(filter.build()?)))
}

/// In other words, if one side holds the other.
fn own_equal(conjunct: &Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>> {
    let equal = conjunct.downcast_ref::<BinaryExpr>()?;
    let (left, right) = (equal.left(), equal.right());
    let is_own = *equal.op() == Operator::Eq && (holds(left, right) || holds(right, left));
    let differs = BinaryExpr::new(Arc::clone(left), Operator::NotEq, Arc::clone(right));
    is_own.then(|| Arc::new(NotExpr::new(Arc::new(differs))) as _)
}

fn holds(whole: &Arc<dyn PhysicalExpr>, part: &Arc<dyn PhysicalExpr>) -> bool {
    let mut children = whole.children().into_iter();
    children.any(|child| child == part || holds(child, part))
}
