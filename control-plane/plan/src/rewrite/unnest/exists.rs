//! EXISTS. Where it is all that a filter asks, a semi or anti join; elsewhere a mark join. It is never unknown.

use super::site::Site;
use datafusion::common::Result;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::Exists;
use datafusion::logical_expr::{Distinct, Expr, JoinType, Limit, LogicalPlan, LogicalPlanBuilder, lit};
use std::sync::Arc;

impl Site<'_> {
    pub(super) fn keep_existing(&mut self, exists: Exists, negated: bool) -> Result<Option<Expr>> {
        let negated = exists.negated != negated;
        let subquery = any_row(Arc::unwrap_or_clone(exists.subquery.subquery));
        let push = self.push(&subquery)?;
        let attached = push.attach(subquery)?;
        if attached.absent.is_some() {
            return Ok(Some(lit(!negated)));
        }
        let join_type = if negated {
            JoinType::LeftAnti
        } else {
            JoinType::LeftSemi
        };
        self.join(&push, attached, Vec::new(), join_type, |_| (Vec::new(), Vec::new()))?;
        Ok(None)
    }

    pub(super) fn exists(&mut self, exists: Exists) -> Result<Expr> {
        let subquery = any_row(Arc::unwrap_or_clone(exists.subquery.subquery));
        let push = self.push(&subquery)?;
        if push.keys.is_empty() {
            return self.exists_once(subquery, exists.negated);
        }
        let attached = push.attach(subquery)?;
        if attached.absent.is_some() {
            return Ok(lit(!exists.negated));
        }
        self.join(&push, attached, Vec::new(), JoinType::LeftMark, |_| {
            (Vec::new(), Vec::new())
        })?;
        let mark = self.mark()?;
        Ok(if exists.negated { !mark } else { mark })
    }

    /// The same for every row: counted once.
    fn exists_once(&mut self, subquery: LogicalPlan, negated: bool) -> Result<Expr> {
        // Of rows that are all the same it does not matter which one is taken.
        let counted = LogicalPlanBuilder::from(subquery)
            .project(vec![lit(true).alias(self.unnester.name("row"))])?
            .limit(0, Some(1))?
            .aggregate(Vec::<Expr>::new(), vec![count(lit(1_i64))])?
            .build()?;
        let rows = self.one_row(counted)?;
        let wanted = i64::from(!negated);
        Ok(rows[0].clone().eq(lit(wanted)))
    }

    /// The columns of a plan that has one row, beside every row of the input.
    pub(super) fn one_row(&mut self, plan: LogicalPlan) -> Result<Vec<Expr>> {
        let push = self.push(&plan)?;
        let columns = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let attached = push.attach(plan)?;
        let placed = self.join(&push, attached, columns, JoinType::Inner, |_| (Vec::new(), Vec::new()))?;
        Ok(placed.columns)
    }
}

/// What has a row whenever this has one: which columns, in which order and how often does not matter.
fn any_row(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Projection(projection) => any_row(Arc::unwrap_or_clone(projection.input)),
        LogicalPlan::SubqueryAlias(alias) => any_row(Arc::unwrap_or_clone(alias.input)),
        LogicalPlan::Subquery(wrapper) => any_row(Arc::unwrap_or_clone(wrapper.subquery)),
        LogicalPlan::Sort(sort) if sort.fetch != Some(0) => any_row(Arc::unwrap_or_clone(sort.input)),
        LogicalPlan::Distinct(Distinct::All(input)) => any_row(Arc::unwrap_or_clone(input)),
        LogicalPlan::Limit(limit) if keeps_a_row(&limit) => any_row(Arc::unwrap_or_clone(limit.input)),
        LogicalPlan::Window(window) => any_row(Arc::unwrap_or_clone(window.input)),
        plan => plan,
    }
}

fn keeps_a_row(limit: &Limit) -> bool {
    use datafusion::logical_expr::{FetchType, SkipType};
    let skips = limit
        .get_skip_type()
        .is_ok_and(|skip| matches!(skip, SkipType::Literal(0)));
    let fetches = |fetch| matches!(fetch, FetchType::Literal(None | Some(1..)));
    skips && limit.get_fetch_type().is_ok_and(fetches)
}
