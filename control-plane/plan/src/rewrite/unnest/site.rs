//! Where subqueries stand: an operator's input, which grows by the columns that they give.

use super::join::{Pair, join};
use super::push::{Attached, Push};
use super::{SUBQUERY, Unnester};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder};

/// An input and what it has become.
pub(super) struct Site<'a> {
    pub unnester: &'a Unnester,
    /// As it was: what subqueries read is found here.
    pub outer: LogicalPlan,
    /// With the columns of the subqueries that have been placed.
    pub plan: LogicalPlan,
}

/// The columns of a placed subquery, by the order in which they were asked for.
pub(super) struct Placed {
    pub columns: Vec<Expr>,
}

impl<'a> Site<'a> {
    pub fn new(unnester: &'a Unnester, input: LogicalPlan) -> Site<'a> {
        Site {
            unnester,
            outer: input.clone(),
            plan: input,
        }
    }

    pub fn push(&self, subquery: &LogicalPlan) -> Result<Push<'a>> {
        Push::new(self.unnester, &self.outer, subquery)
    }

    /// Joins the input with these columns of a subquery, on its keys and on what else must agree: pairs of an expression over the input and
    /// the number of a column. Columns of the subquery have new names; none but these are left.
    pub fn join(
        &mut self,
        push: &Push<'_>,
        attached: Attached,
        columns: Vec<Expr>,
        join_type: JoinType,
        condition: impl FnOnce(&[Expr]) -> (Vec<Pair>, Vec<Expr>),
    ) -> Result<Placed> {
        let (right, bound, columns) = self.right(attached, columns)?;
        let mut pairs = push.pairs(&bound);
        let (more, filter) = condition(&columns);
        pairs.extend(more);
        let left = std::mem::take(&mut self.plan);
        self.plan = join(left, right, join_type, &pairs, filter)?;
        Ok(Placed { columns })
    }

    /// The subquery under a name of its own: its keys, and these columns.
    fn right(
        &self,
        attached: Attached,
        columns: Vec<Expr>,
    ) -> Result<(LogicalPlan, Vec<Option<super::push::Bound>>, Vec<Expr>)> {
        let alias = self.unnester.name(SUBQUERY);
        let under = |name: &str| Column::new(Some(alias.as_str()), name);
        let mut exprs = Vec::new();
        let mut shown = Vec::new();
        for column in columns {
            let name = self.unnester.name("value");
            exprs.push(column.alias(&name));
            shown.push(Expr::Column(under(&name)));
        }
        let mut bound = attached.bound;
        for key in bound.iter_mut().flatten() {
            let name = self.unnester.name("key");
            exprs.push(Expr::Column(key.column.clone()).alias(&name));
            key.column = under(&name);
        }
        let plan = LogicalPlanBuilder::from(attached.plan);
        // Without any column it is there for its rows.
        let plan = if exprs.is_empty() { plan } else { plan.project(exprs)? };
        Ok((plan.alias(alias)?.build()?, bound, shown))
    }

    /// The column that a mark join of this subquery's alias gives.
    pub fn mark(&self) -> Result<Expr> {
        let schema = self.plan.schema();
        let (relation, field) = schema.qualified_field(schema.fields().len() - 1);
        Ok(Expr::Column(Column::new(relation.cloned(), field.name())))
    }
}
