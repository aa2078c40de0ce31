//! A tree of inner joins taken apart: through filters, and projections that only choose columns. Everything else is an input.

use super::graph::Tree;
use crate::rewrite::unnest;
use datafusion::common::NullEquality;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan};
use std::collections::HashSet;

/// Whether the node is the root of such a tree.
pub(super) fn is_inner_join(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(join) if is_inner(join))
}

/// Joins on keys that may be NULL and equal are left alone: their equalities do not follow from one another. So are those with the value
/// of a subquery: it is there for the rows that are joined before it. To join it first shuffles both it and whatever comes next.
fn is_inner(join: &Join) -> bool {
    join.join_type == JoinType::Inner
        && join.null_equality == NullEquality::NullEqualsNothing
        && !unnest::is_subquery(&join.left)
        && !unnest::is_subquery(&join.right)
}

/// What a tree of joins consists of.
#[derive(Default)]
pub(super) struct Parts {
    pub inputs: Vec<LogicalPlan>,
    pub equalities: Vec<(Expr, Expr)>,
    pub conditions: Vec<Expr>,
}

impl Parts {
    pub(super) fn flatten(&mut self, plan: &LogicalPlan) -> Tree {
        match plan {
            LogicalPlan::Join(join) if is_inner(join) => {
                self.equalities.extend(join.on.iter().cloned());
                let conditions = join.filter.clone().map(split_conjunction_owned);
                self.conditions.extend(conditions.into_iter().flatten());
                let left = self.flatten(&join.left);
                let right = self.flatten(&join.right);
                Tree::Join(Box::new(left), Box::new(right))
            }
            LogicalPlan::Projection(projection) if chooses_columns(&projection.expr) && stands_on_join(plan) => {
                self.flatten(&projection.input)
            }
            LogicalPlan::Filter(filter) if stands_on_join(plan) => {
                self.conditions
                    .extend(split_conjunction_owned(filter.predicate.clone()));
                self.flatten(&filter.input)
            }
            input => {
                self.inputs.push(input.clone());
                Tree::Input(self.inputs.len() - 1)
            }
        }
    }

    /// A column that a projection hides may be called like another's.
    pub(super) fn names_are_unique(&self) -> bool {
        let mut names = HashSet::new();
        let columns = self.inputs.iter().flat_map(|input| input.schema().columns());
        let (mut bare, mut qualified) = (HashSet::new(), HashSet::new());
        columns.into_iter().all(|column| {
            let side = if column.relation.is_some() {
                &mut qualified
            } else {
                &mut bare
            };
            side.insert(column.name.clone());
            names.insert(column)
        }) && bare.is_disjoint(&qualified)
    }
}

/// Through projections that only choose columns, and filters.
fn stands_on_join(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) if chooses_columns(&projection.expr) => {
            is_inner_join(&projection.input) || stands_on_join(&projection.input)
        }
        LogicalPlan::Filter(filter) => is_inner_join(&filter.input) || stands_on_join(&filter.input),
        _ => false,
    }
}

fn chooses_columns(expressions: &[Expr]) -> bool {
    expressions.iter().all(|expr| matches!(expr, Expr::Column(_)))
}
