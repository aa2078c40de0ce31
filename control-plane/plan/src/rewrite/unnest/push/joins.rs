//! Joins inside a subquery: the domain goes to the sides that read it. A side whose rows are kept without a partner must hold all keys that
//! the other side, or the condition, reads.

use super::super::join::{Pair, join};
use super::sets::alike;
use super::{Attached, Bound, Push, conjuncts};
use datafusion::common::{Column, NullEquality, Result, internal_err};
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, when};
use std::sync::Arc;

impl Push<'_> {
    pub(super) fn join(&self, node: Join) -> Result<Attached> {
        match node.join_type {
            JoinType::Inner => self.inner(node),
            JoinType::Full => self.full(node),
            JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => self.one_sided(node, true),
            JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
                self.one_sided(node, false)
            }
        }
    }

    fn inner(&self, node: Join) -> Result<Attached> {
        let own = self.own(&node);
        let left = self.side(node.left)?;
        let right = self.side(node.right)?;
        let (read, unread): (Vec<Expr>, Vec<Expr>) = own
            .filter
            .into_iter()
            .partition(|conjunct| self.scope().is_read_by(conjunct));
        let mut pairs = own.pairs;
        pairs.extend(shared(&left.bound, &right.bound));
        let bound = left.bound.into_iter().zip(right.bound).map(|sides| match sides {
            (Some(one), Some(other)) => Some(Bound {
                null_safe: one.null_safe && other.null_safe,
                ..one
            }),
            (one, other) => one.or(other),
        });
        let bound = bound.collect();
        let plan = join(left.plan, right.plan, JoinType::Inner, &pairs, unread)?;
        self.filtered(Attached::of(plan, bound), read)
    }

    fn side(&self, plan: Arc<LogicalPlan>) -> Result<Attached> {
        let attached = self.attach(Arc::unwrap_or_clone(plan))?;
        self.present(attached)
    }

    /// One side's rows are kept, or judged, whatever the other side holds.
    fn one_sided(&self, node: Join, is_left: bool) -> Result<Attached> {
        if node.null_aware {
            return self.null_aware(node);
        }
        let own = self.own(&node);
        let (left, right) = (self.side(node.left)?, self.side(node.right)?);
        let (mut kept, other) = if is_left { (left, right) } else { (right, left) };
        let is_read = |key: usize| other.bound[key].is_some() && kept.bound[key].is_none();
        if (0..self.keys.len()).any(is_read) {
            kept = self.complete(kept)?;
        }
        kept = self.with_keys_of(kept, &own.filter)?;
        let filter = own.filter.into_iter().map(|conjunct| self.substitute(conjunct, &kept));
        let filter = filter.collect::<Result<Vec<_>>>()?;
        let (left, right) = if is_left { (&kept, &other) } else { (&other, &kept) };
        let mut pairs = own.pairs;
        pairs.extend(shared(&left.bound, &right.bound));
        let plan = join(left.plan.clone(), right.plan.clone(), node.join_type, &pairs, filter)?;
        Ok(Attached::of(plan, kept.bound))
    }

    /// NOT IN of a subquery that reads no outer query at all: the left side alone does.
    fn null_aware(&self, mut node: Join) -> Result<Attached> {
        let left = self.side(node.left)?;
        node.left = Arc::new(left.plan);
        Ok(Attached::of(LogicalPlan::Join(node).recompute_schema()?, left.bound))
    }

    /// Rows of both sides are kept: a key is that of the side that has a row.
    fn full(&self, node: Join) -> Result<Attached> {
        let own = self.own(&node);
        let left = self.side(node.left)?;
        let left = self.complete(left)?;
        let right = self.side(node.right)?;
        let right = self.complete(right)?;
        let (sides, null_safe) = alike(vec![left, right])?;
        let Ok([left, right]) = <[Attached; 2]>::try_from(sides) else {
            return internal_err!("a join has two sides");
        };
        let filter = own.filter.into_iter().map(|conjunct| self.substitute(conjunct, &left));
        let filter = filter.collect::<Result<Vec<_>>>()?;
        let mut pairs = own.pairs;
        pairs.extend(shared(&left.bound, &right.bound));
        let columns: Vec<Column> = node.schema.columns();
        let plan = join(left.plan, right.plan, JoinType::Full, &pairs, filter)?;
        let mut exprs: Vec<Expr> = columns.into_iter().map(Expr::Column).collect();
        let sides = left.bound.into_iter().zip(right.bound);
        let bound = sides
            .map(|sides| self.either(sides, null_safe, &mut exprs))
            .collect::<Result<_>>()?;
        let plan = LogicalPlanBuilder::from(plan).project(exprs)?.build()?;
        Ok(Attached::of(plan, bound))
    }

    fn either(
        &self,
        sides: (Option<Bound>, Option<Bound>),
        null_safe: bool,
        exprs: &mut Vec<Expr>,
    ) -> Result<Option<Bound>> {
        let (Some(one), Some(other)) = sides else {
            return Ok(None);
        };
        let name = self.unnester.name("key");
        let (left, right) = (Expr::Column(one.column), Expr::Column(other.column));
        exprs.push(when(left.clone().is_not_null(), left).otherwise(right)?.alias(&name));
        Ok(Some(Bound {
            column: Column::new_unqualified(name),
            null_safe,
        }))
    }
}

/// A join's own condition.
struct Own {
    pairs: Vec<Pair>,
    filter: Vec<Expr>,
}

impl Push<'_> {
    /// What reads the outer side is not a pair, but a comparison like others.
    fn own(&self, node: &Join) -> Own {
        let null_safe = node.null_equality == NullEquality::NullEqualsNull;
        let mut own = Own {
            pairs: Vec::new(),
            filter: node.filter.clone().map(conjuncts::of).unwrap_or_default(),
        };
        for (left, right) in node.on.clone() {
            let is_read = self.scope().is_read_by(&left) || self.scope().is_read_by(&right);
            match is_read {
                false => own.pairs.push(Pair { left, right, null_safe }),
                true if null_safe => own.filter.push(binary_expr(left, Operator::IsNotDistinctFrom, right)),
                true => own.filter.push(left.eq(right)),
            }
        }
        own
    }
}

/// Keys that both sides hold must be the same.
fn shared(left: &[Option<Bound>], right: &[Option<Bound>]) -> Vec<Pair> {
    let pair = |sides: (&Option<Bound>, &Option<Bound>)| match sides {
        (Some(one), Some(other)) => Some(Pair {
            left: Expr::Column(one.column.clone()),
            right: Expr::Column(other.column.clone()),
            null_safe: one.null_safe && other.null_safe,
        }),
        _ => None,
    };
    left.iter().zip(right).filter_map(pair).collect()
}
