//! `x IN (subquery)`, true if x is there, false if there is nothing that could be x, unknown otherwise: x is NULL, or one of the values is,
//! and there is at least one value.
//!
//! ```text
//! WHERE x IN (S)       →  outer ⋉ S' on keys and x = v
//! WHERE x NOT IN (S)   →  outer ▷ S' on keys and (x = v or x is null or v is null)
//! elsewhere            →  case when mark then true when f is null then false when f = 1 or x is null then null else false end
//!                         mark: outer ⟕mark S' on keys and x = v,  f: outer ⟕ γ keys; max(case when v is null then 1 else 0 end) (S')
//! ```

use super::join::Pair;
use super::push::{Attached, Push};
use super::scope;
use super::site::Site;
use datafusion::common::{NullEquality, Result, ScalarValue};
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::{
    Expr, ExprSchemable, Join, JoinConstraint, JoinType, LogicalPlan, LogicalPlanBuilder, lit, or, when,
};
use std::sync::Arc;

impl<'a> Site<'a> {
    pub(super) fn keep_members(&mut self, member: InSubquery, negated: bool) -> Result<Option<Expr>> {
        let negated = member.negated != negated;
        let subquery = Arc::unwrap_or_clone(member.subquery.subquery);
        // What it is may itself be of a subquery.
        let sought = self.value(*member.expr)?;
        if !negated {
            let value = value_of(&subquery);
            let (push, attached) = self.attached(subquery)?;
            let on = |columns: &[Expr]| found(sought, columns[0].clone());
            self.join(&push, attached, vec![value], JoinType::LeftSemi, on)?;
            return Ok(None);
        }
        if scope::outer_columns(&subquery)?.is_empty() {
            return self.keep_others(sought, subquery);
        }
        let (push, attached) = self.attached(subquery.clone())?;
        let on = |columns: &[Expr]| not_other(&sought, &columns[0]);
        self.join(&push, attached, vec![value_of(&subquery)], JoinType::LeftAnti, on)?;
        Ok(None)
    }

    /// NOT IN of what is the same for every row: a join that knows of NULLs, unless there is nothing to join on.
    fn keep_others(&mut self, sought: Expr, subquery: LogicalPlan) -> Result<Option<Expr>> {
        if !sought.any_column_refs() {
            let member = self.is_member(sought, subquery)?;
            return Ok(Some(!member));
        }
        let value = self.unnester.name("value");
        let right = LogicalPlanBuilder::from(subquery.clone())
            .project(vec![value_of(&subquery).alias(&value)])?
            .alias(self.unnester.name("subquery"))?
            .build()?;
        let found = Expr::Column(right.schema().columns().remove(0));
        let null_aware = sought.nullable(self.plan.schema())? || found.nullable(right.schema())?;
        self.plan = LogicalPlan::Join(Join::try_new(
            Arc::new(std::mem::take(&mut self.plan)),
            Arc::new(right),
            Vec::new(),
            Some(sought.eq(found)),
            JoinType::LeftAnti,
            JoinConstraint::On,
            NullEquality::NullEqualsNothing,
            null_aware,
        )?);
        Ok(None)
    }

    pub(super) fn member(&mut self, member: InSubquery) -> Result<Expr> {
        let subquery = Arc::unwrap_or_clone(member.subquery.subquery);
        let is_member = self.is_member(*member.expr, subquery)?;
        Ok(if member.negated { !is_member } else { is_member })
    }

    /// As far as it is true: where unknown is as good as false.
    pub(super) fn is_surely(&mut self, member: InSubquery) -> Result<Expr> {
        let sought = self.value(*member.expr)?;
        let subquery = Arc::unwrap_or_clone(member.subquery.subquery);
        match sought.any_column_refs() {
            true => self.is_found(&sought, subquery),
            false => self.is_member(sought, subquery),
        }
    }

    fn is_found(&mut self, sought: &Expr, subquery: LogicalPlan) -> Result<Expr> {
        let value = value_of(&subquery);
        let (push, attached) = self.attached(subquery)?;
        let on = |columns: &[Expr]| (vec![Pair::plain(sought.clone(), columns[0].clone())], Vec::new());
        self.join(&push, attached, vec![value], JoinType::LeftMark, on)?;
        self.mark()
    }

    pub(super) fn is_member(&mut self, sought: Expr, subquery: LogicalPlan) -> Result<Expr> {
        let value = value_of(&subquery);
        if !sought.any_column_refs() {
            return self.is_constant_member(sought, value, subquery);
        }
        let is_exact = !sought.nullable(self.plan.schema())? && !value.nullable(subquery.schema())?;
        let mark = self.is_found(&sought, subquery.clone())?;
        if is_exact {
            return Ok(mark);
        }
        let flag = when(value.is_null(), lit(1_i64)).otherwise(lit(0_i64))?;
        let flag = self.aggregated(subquery, vec![max(flag)])?.remove(0);
        let unknown = or(flag.clone().eq(lit(1_i64)), sought.is_null());
        when(mark, lit(true))
            .when(flag.is_null(), lit(false))
            .when(unknown, lit(ScalarValue::Boolean(None)))
            .otherwise(lit(false))
    }

    /// There is nothing to join on. The values tell: 2 is it, 1 may be it, 0 is another.
    fn is_constant_member(&mut self, sought: Expr, value: Expr, subquery: LogicalPlan) -> Result<Expr> {
        let is = sought.eq(value);
        let told = when(is.clone().is_true(), lit(2_i64))
            .when(is.is_null(), lit(1_i64))
            .otherwise(lit(0_i64))?;
        let told = self.aggregated(subquery, vec![max(told)])?.remove(0);
        when(told.clone().eq(lit(2_i64)), lit(true))
            .when(told.eq(lit(1_i64)), lit(ScalarValue::Boolean(None)))
            .otherwise(lit(false))
    }

    /// A subquery with the domain pushed into it, and all of its rows there.
    pub(super) fn attached(&self, subquery: LogicalPlan) -> Result<(Push<'a>, Attached)> {
        let push = self.push(&subquery)?;
        let attached = push.attach(subquery)?;
        let attached = push.present(attached)?;
        Ok((push, attached))
    }

    /// Aggregates over the rows that a subquery has for each row of the input: NULL where it has none.
    pub(super) fn aggregated(&mut self, subquery: LogicalPlan, aggregates: Vec<Expr>) -> Result<Vec<Expr>> {
        let whole = LogicalPlanBuilder::from(subquery)
            .aggregate(Vec::<Expr>::new(), aggregates)?
            .build()?;
        if self.push(&whole)?.keys.is_empty() {
            return self.one_row(whole);
        }
        let columns = whole.schema().columns().into_iter().map(Expr::Column).collect();
        let push = self.push(&whole)?;
        let attached = push.attach(whole)?;
        let placed = self.join(&push, attached, columns, JoinType::Left, |_| (Vec::new(), Vec::new()))?;
        Ok(placed.columns)
    }
}

/// The one column that the subquery has.
pub(super) fn value_of(subquery: &LogicalPlan) -> Expr {
    Expr::Column(subquery.schema().columns().remove(0))
}

/// What is no column of the input is nothing to join on.
fn found(sought: Expr, value: Expr) -> (Vec<Pair>, Vec<Expr>) {
    match sought.any_column_refs() {
        true => (vec![Pair::plain(sought, value)], Vec::new()),
        false => (Vec::new(), vec![sought.eq(value)]),
    }
}

/// Whether a value may be the one that is sought.
fn not_other(sought: &Expr, value: &Expr) -> (Vec<Pair>, Vec<Expr>) {
    let is = sought.clone().eq(value.clone());
    let may_be = or(is, or(sought.clone().is_null(), value.clone().is_null()));
    (Vec::new(), vec![may_be])
}
