//! `x IN (subquery)`, true if x is there, false if there is nothing that could be x, unknown otherwise: x is NULL, or one of the values is,
//! and there is at least one value.
//!
//! ```text
//! WHERE x IN (S)       →  outer ⋉ S' on keys and x = v
//! WHERE x NOT IN (S)   →  outer ▷ S' on keys and (x = v or x is null or v is null)
//! elsewhere            →  case when mark then true when f is null then false when f = 1 or x is null then null else false end
//!                         mark: outer ⟕mark S' on keys and x = v,  f: outer ⟕ γ keys; max(case when v is null then 1 else 0 end) (S')
//! ```
//!
//! A row is sought field by field: `x = v` is `x1 = v1 and x2 = v2`, and a value leaves open what it is if no field of it is another.

use super::SUBQUERY;
use super::each::{found, not_other};
use super::push::{Attached, Push};
use super::scope;
use super::site::Site;
use datafusion::common::{NullEquality, Result, ScalarValue};
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::{
    Expr, ExprSchemable, Join, JoinConstraint, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, lit, or, when,
};
use std::sync::Arc;

impl<'a> Site<'a> {
    pub(super) fn keep_members(&mut self, member: InSubquery, negated: bool) -> Result<Option<Expr>> {
        let negated = member.negated != negated;
        // What it is may itself be of a subquery.
        let sought = self.value(*member.expr)?;
        let sought = self.fields(sought)?;
        let (subquery, values) = self.spread(Arc::unwrap_or_clone(member.subquery.subquery))?;
        if !negated {
            let (push, attached) = self.attached(subquery)?;
            let on = |columns: &[Expr]| found(&sought, columns);
            self.join(&push, attached, values, JoinType::LeftSemi, on)?;
            return Ok(None);
        }
        if let [sought] = sought.as_slice()
            && scope::outer_columns(&subquery)?.is_empty()
        {
            return self.keep_others(sought.clone(), subquery);
        }
        let (push, attached) = self.attached(subquery)?;
        let on = |columns: &[Expr]| not_other(&sought, columns);
        self.join(&push, attached, values, JoinType::LeftAnti, on)?;
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
            .alias(self.unnester.name(SUBQUERY))?
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
        if !sought.any_column_refs() {
            return self.is_member(sought, subquery);
        }
        let sought = self.fields(sought)?;
        let (subquery, values) = self.spread(subquery)?;
        self.marked(subquery, values, |columns| found(&sought, columns))
    }

    pub(super) fn is_member(&mut self, sought: Expr, subquery: LogicalPlan) -> Result<Expr> {
        let sought = self.fields(sought)?;
        let (subquery, values) = self.spread(subquery)?;
        let ([sought], [value]) = (sought.as_slice(), values.as_slice()) else {
            return self.told(&sought, Operator::Eq, subquery, values, true);
        };
        if !sought.any_column_refs() {
            return self.told(std::slice::from_ref(sought), Operator::Eq, subquery, values, true);
        }
        let is_exact = !sought.nullable(self.plan.schema())? && !value.nullable(subquery.schema())?;
        let on = |columns: &[Expr]| found(std::slice::from_ref(sought), columns);
        let mark = self.marked(subquery.clone(), values.clone(), on)?;
        if is_exact {
            return Ok(mark);
        }
        let flag = when(value.clone().is_null(), lit(1_i64)).otherwise(lit(0_i64))?;
        let flag = self.aggregated(subquery, vec![max(flag)])?.remove(0);
        let unknown = or(flag.clone().eq(lit(1_i64)), sought.clone().is_null());
        when(mark, lit(true))
            .when(flag.is_null(), lit(false))
            .when(unknown, lit(ScalarValue::Boolean(None)))
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
