//! A FULL JOIN whose condition reads both sides in a subquery: two joins, each of which keeps one side.
//!
//! ```text
//! L ⟗ R on c(L,R)   →   (L ⟕ R on c) ∪ (R ▷ L on c)
//! ```

use super::Unnester;
use super::all::Part;
use super::push::{Need, repeatable};
use super::scope::{self, Scope};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan, lit};
use std::sync::Arc;

impl Unnester {
    /// What the left side gives, and the rows of the right side that have no partner.
    pub(super) fn full(&self, node: &Join) -> Result<LogicalPlan> {
        repeatable(node.left.as_ref().clone(), Need::Same)?;
        repeatable(node.right.as_ref().clone(), Need::Same)?;
        let left = self.condition(as_type(node, JoinType::Left)?)?;
        let right = self.condition(as_type(&turned(node)?, JoinType::LeftAnti)?)?;
        let columns = node.schema.columns();
        let part = |plan: LogicalPlan| {
            let exprs = columns.iter().zip(node.schema.fields()).map(|(column, field)| {
                match plan.schema().has_column(column) {
                    true => Ok(Expr::Column(column.clone())),
                    false => ScalarValue::try_new_null(field.data_type()).map(lit),
                }
            });
            let exprs = exprs.collect::<Result<Vec<Expr>>>()?;
            Ok((plan, exprs))
        };
        let parts: Result<Vec<Part>> = [left, right].into_iter().map(part).collect();
        self.all(&columns, parts?)
    }
}

pub(super) fn reads_both(conjuncts: &[Expr], node: &Join) -> Result<bool> {
    let (left, right) = (Scope(node.left.schema()), Scope(node.right.schema()));
    for conjunct in conjuncts {
        let read = scope::columns(conjunct)?;
        if read.iter().any(|column| left.has(column)) && read.iter().any(|column| right.has(column)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn as_type(node: &Join, join_type: JoinType) -> Result<Join> {
    Join::try_new(
        Arc::clone(&node.left),
        Arc::clone(&node.right),
        node.on.clone(),
        node.filter.clone(),
        join_type,
        node.join_constraint,
        node.null_equality,
        node.null_aware,
    )
}

/// The same join, its right side on the left.
fn turned(node: &Join) -> Result<Join> {
    Join::try_new(
        Arc::clone(&node.right),
        Arc::clone(&node.left),
        node.on
            .iter()
            .map(|(left, right)| (right.clone(), left.clone()))
            .collect(),
        node.filter.clone(),
        node.join_type,
        node.join_constraint,
        node.null_equality,
        node.null_aware,
    )
}
