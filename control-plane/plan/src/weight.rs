//! What would explode when it is optimized is refused before: views and CTEs that are named more than once stand in the plan as often,
//! some functions repeat their arguments, a subquery in an expression is walked twice, CUBE doubles with each column.

use crate::error;
use crate::subquery::subquery;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, GroupingSet, LogicalPlan};
use mayfly_protocol::{ErrorCode, QueryError};

/// Operators and expressions of a plan, each as often as the optimizer will see it. The heaviest of TPC-DS weighs some thousand; a list of
/// 60,000 numbers weighs as much.
const WEIGHT_MAX: u64 = 400_000;

/// Refuses what is too heavy.
pub(crate) fn check(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut scale = Scale { left: WEIGHT_MAX };
    match scale.plan(plan, 1).map_err(error::from_datafusion)? {
        TreeNodeRecursion::Stop => Err(too_heavy()),
        _ => Ok(()),
    }
}

fn too_heavy() -> QueryError {
    let message = format!("the query is too complex: its parts multiply to more than {WEIGHT_MAX} when it is planned");
    QueryError::new(ErrorCode::TooComplex, message).hint(
        "what multiplies are CTEs and views that name one before them more than once, coalesce and nullif in one another, \
         subqueries in subqueries, and CUBE",
    )
}

struct Scale {
    left: u64,
}

impl Scale {
    fn take(&mut self, weight: u64) -> TreeNodeRecursion {
        match self.left.checked_sub(weight) {
            Some(left) => {
                self.left = left;
                TreeNodeRecursion::Continue
            }
            None => TreeNodeRecursion::Stop,
        }
    }

    /// `times`: how often the optimizer will see the plan.
    fn plan(&mut self, plan: &LogicalPlan, times: u64) -> DfResult<TreeNodeRecursion> {
        if self.take(times) == TreeNodeRecursion::Stop {
            return Ok(TreeNodeRecursion::Stop);
        }
        if plan.apply_expressions(|expr| self.expr(expr, times))? == TreeNodeRecursion::Stop {
            return Ok(TreeNodeRecursion::Stop);
        }
        for input in plan.inputs() {
            if self.plan(input, times)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn expr(&mut self, expr: &Expr, times: u64) -> DfResult<TreeNodeRecursion> {
        if self.take(times.saturating_mul(sets(expr))) == TreeNodeRecursion::Stop {
            return Ok(TreeNodeRecursion::Stop);
        }
        let inside = times.saturating_mul(repeats(expr));
        if let Some(subquery) = subquery(expr)
            && self.plan(&subquery.subquery, inside)? == TreeNodeRecursion::Stop
        {
            return Ok(TreeNodeRecursion::Stop);
        }
        expr.apply_children(|child| self.expr(child, inside))
    }
}

/// How often an expression's parts stand in what the optimizer makes of it.
fn repeats(expr: &Expr) -> u64 {
    match expr {
        Expr::ScalarFunction(call) => match call.name() {
            "coalesce" | "nvl" | "nvl2" | "ifnull" => 2,
            "nullif" => 3,
            _ => 1,
        },
        Expr::Between(_) | Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => 2,
        _ => 1,
    }
}

/// Grouping sets that an expression stands for.
fn sets(expr: &Expr) -> u64 {
    let columns = |columns: &[Expr]| u32::try_from(columns.len()).unwrap_or(u32::MAX);
    match expr {
        Expr::GroupingSet(GroupingSet::Cube(cube)) => 2_u64
            .saturating_pow(columns(cube))
            .saturating_mul(u64::from(columns(cube))),
        Expr::GroupingSet(GroupingSet::Rollup(rollup)) => u64::from(columns(rollup)).saturating_pow(2).max(1),
        _ => 1,
    }
}
