//! What DataFusion makes a join of rightly: EXISTS, or IN where only its truth counts, over filters that compare the outer side with inner
//! columns. Its semi join takes the whole comparison, where D would be multiplied with the inner side.
//!
//! Comparisons for equality alone are left to ours: they need no D.

use super::scope::{self, Scope};
use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, Projection};
use std::collections::HashSet;

pub(super) fn is_simple(conjunct: &Expr, scope: Scope<'_>) -> Result<bool> {
    match conjunct {
        Expr::Exists(Exists { subquery, .. }) => compares(&subquery.subquery, scope),
        Expr::Not(inner) if matches!(inner.as_ref(), Expr::Exists(_)) => is_simple(inner, scope),
        Expr::InSubquery(InSubquery {
            expr,
            subquery,
            negated: false,
        }) => Ok(!scope::is_subquery_within(expr) && compares(&subquery.subquery, scope)?),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::And | Operator::Or,
            right,
        }) => Ok(is_simple_part(left, scope)? && is_simple_part(right, scope)?),
        _ => Ok(false),
    }
}

fn is_simple_part(part: &Expr, scope: Scope<'_>) -> Result<bool> {
    Ok(!scope::is_subquery_within(part) || is_simple(part, scope)?)
}

/// Whether filters at the top read the outer side, other than for equality, and nothing else does.
fn compares(plan: &LogicalPlan, scope: Scope<'_>) -> Result<bool> {
    match plan {
        LogicalPlan::Projection(projection) if !reads(&projection.expr) && !hides(projection) => {
            compares(&projection.input, scope)
        }
        LogicalPlan::SubqueryAlias(alias) => compares(&alias.input, scope),
        LogicalPlan::Filter(filter) => {
            let conjuncts = split_conjunction(&filter.predicate);
            let read: Vec<&&Expr> = conjuncts.iter().filter(|conjunct| conjunct.contains_outer()).collect();
            let is_own = |conjunct: &&&Expr| !scope::is_subquery_within(conjunct) && is_only(conjunct, scope);
            let is_other = |conjunct: &&&Expr| !is_equality(conjunct);
            let compared = read.iter().any(is_other);
            let below = &filter.input;
            Ok(compared
                && read.iter().all(is_own)
                && are_told_apart(&moved(plan))
                && scope::outer_columns(below)?.is_empty()
                && !shares_names(below, scope)?)
        }
        _ => Ok(false),
    }
}

fn reads(exprs: &[Expr]) -> bool {
    exprs.iter().any(Expr::contains_outer)
}

/// A name that another column below has, too: DataFusion shows both where the comparison moves up.
fn hides(projection: &Projection) -> bool {
    let below = projection.input.schema();
    let moved = moved(&projection.input);
    projection.schema.iter().any(|(relation, own)| {
        let is_below =
            |(relation, field): (Option<&TableReference>, &FieldRef)| relation.is_some() && field.name() == own.name();
        let is_moved = |column: &Column| column.name == *own.name() && column.relation.as_ref() != relation;
        (relation.is_none() && below.iter().any(is_below)) || moved.iter().any(is_moved)
    })
}

/// The inner columns of what moves up with the filter.
fn moved(plan: &LogicalPlan) -> HashSet<Column> {
    let predicate = match plan {
        LogicalPlan::Projection(projection) => return moved(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => return moved(&alias.input),
        LogicalPlan::Filter(filter) => &filter.predicate,
        _ => return HashSet::new(),
    };
    let conjuncts = split_conjunction(predicate).into_iter();
    let read = conjuncts.filter(|conjunct| conjunct.contains_outer());
    read.flat_map(|conjunct| conjunct.column_refs().into_iter().cloned())
        .collect()
}

/// DataFusion gives all of them one relation, so that names alone are left.
fn are_told_apart(columns: &HashSet<Column>) -> bool {
    let names: HashSet<&String> = columns.iter().map(|column| &column.name).collect();
    names.len() == columns.len()
}

fn is_equality(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryExpr(comparison) if comparison.op == Operator::Eq)
}

/// All that it reads of outer queries is of this one.
fn is_only(expr: &Expr, scope: Scope<'_>) -> bool {
    let mut only = true;
    let walked = expr.apply(|part| {
        if let Expr::OuterReferenceColumn(_, column) = part {
            only &= scope.has(column);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.is_ok() && only
}

/// DataFusion tells the sides apart by their tables' names.
fn shares_names(plan: &LogicalPlan, scope: Scope<'_>) -> Result<bool> {
    let outer: Vec<&TableReference> = scope.0.iter().filter_map(|(relation, _)| relation).collect();
    let mut shared = false;
    plan.apply(|node| {
        shared |= node
            .schema()
            .iter()
            .any(|(relation, _)| relation.is_some_and(|own| outer.contains(&own)));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(shared)
}
