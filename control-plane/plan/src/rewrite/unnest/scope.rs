//! Which columns of an outer query are read where. A reference to an outer column belongs to the nearest query around it that has it.
//!
//! Subqueries that are left in expressions are not looked into: what they read is their own query's.

use crate::subquery::subquery;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The columns of one outer side.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a>(pub &'a DFSchema);

impl Scope<'_> {
    /// By its exact name: an unqualified name is that of a column without a qualifier.
    pub fn has(self, column: &Column) -> bool {
        let is = |(relation, name): (Option<_>, &String)| relation == column.relation.as_ref() && *name == column.name;
        self.0.iter().any(|(relation, field)| is((relation, field.name())))
    }

    /// The outer columns of this scope that an expression reads.
    pub fn columns(self, expr: &Expr) -> Vec<Column> {
        let mut columns = Vec::new();
        each_outer(expr, &mut |column| {
            if self.has(column) && !columns.contains(column) {
                columns.push(column.clone());
            }
        });
        columns
    }

    pub fn is_read_by(self, expr: &Expr) -> bool {
        !self.columns(expr).is_empty()
    }

    /// Whether an operator, or one below it, reads this scope.
    pub fn is_read_in(self, plan: &LogicalPlan) -> Result<bool> {
        Ok(outer_columns(plan)?.iter().any(|column| self.has(column)))
    }

    /// Whether the expression reads this scope and nothing else, and always says the same.
    pub fn decides(self, expr: &Expr) -> bool {
        let mut own = true;
        each_outer(expr, &mut |column| own &= self.has(column));
        own && self.is_read_by(expr) && !expr.any_column_refs() && !expr.is_volatile() && !is_subquery_within(expr)
    }
}

fn each_outer(expr: &Expr, visit: &mut dyn FnMut(&Column)) {
    let visited = expr.apply(|part| {
        if let Expr::OuterReferenceColumn(_, column) = part {
            visit(column);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    visited.expect("the visitor returns no error");
}

/// All outer columns that a plan's own operators read.
pub(super) fn outer_columns(plan: &LogicalPlan) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    plan.apply(|node| {
        node.apply_expressions(|expr| {
            each_outer(expr, &mut |column| {
                if !columns.contains(column) {
                    columns.push(column.clone());
                }
            });
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(columns)
}

/// What an expression reads, its subqueries included.
pub(super) fn columns(expr: &Expr) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = expr.column_refs().into_iter().cloned().collect();
    expr.apply(|part| {
        if let Some(plan) = plan_of(part) {
            columns.extend(outer_columns(plan)?);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    columns.sort();
    columns.dedup();
    Ok(columns)
}

fn plan_of(expr: &Expr) -> Option<&LogicalPlan> {
    subquery(expr).map(|subquery| subquery.subquery.as_ref())
}

pub(super) fn is_subquery(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) | Expr::ScalarSubquery(_)
    )
}

pub(crate) fn is_subquery_within(expr: &Expr) -> bool {
    expr.exists(|part| Ok(is_subquery(part)))
        .expect("the visitor returns no error")
}

pub(super) fn node_has_subqueries(node: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    node.apply_expressions(|expr| {
        found |= is_subquery_within(expr);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Subqueries in expressions, or lateral relations.
pub(super) fn has_subqueries(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        found |= matches!(node, LogicalPlan::Subquery(_)) || node_has_subqueries(node)?;
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(found)
}
