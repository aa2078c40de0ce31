//! Operators with subqueries in their expressions: the subqueries become columns of the input, or, as conjuncts of a filter, semi and anti
//! joins with it.

use super::Unnester;
use super::scope::{self, Scope};
use super::simple;
use super::site::Site;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, binary_expr,
};
use std::sync::Arc;

impl Unnester {
    pub(super) fn filter(&self, filter: Filter) -> Result<LogicalPlan> {
        let input = Arc::unwrap_or_clone(filter.input);
        let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        let (subqueries, plain): (Vec<_>, Vec<_>) = split_conjunction_owned(filter.predicate)
            .into_iter()
            .partition(scope::is_subquery_within);
        let mut site = Site::new(self, filtered(input, plain)?);
        let mut rest = Vec::new();
        for conjunct in subqueries {
            let conjunct = self.inside(conjunct, site.outer.schema())?;
            if simple::is_simple(&conjunct, Scope(site.outer.schema()))? {
                rest.push(conjunct);
            } else if let Some(conjunct) = site.conjunct(conjunct)? {
                rest.push(conjunct);
            }
        }
        let plan = filtered(site.plan, rest)?;
        match plan.schema().fields().len() == columns.len() {
            true => Ok(plan),
            false => LogicalPlanBuilder::from(plan).project(columns)?.build(),
        }
    }

    /// An operator with one input, whatever it does.
    pub(super) fn expressions(&self, node: LogicalPlan) -> Result<LogicalPlan> {
        let columns: Vec<Expr> = node.schema().columns().into_iter().map(Expr::Column).collect();
        let Some(input) = node.inputs().first().map(|input| (*input).clone()) else {
            return Ok(node);
        };
        let mut site = Site::new(self, input);
        let names = NamePreserver::new(&node);
        let exprs = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let expr = self.inside(expr, site.outer.schema())?;
            let expr = site.value(expr)?;
            Ok(Transformed::yes(name.restore(expr)))
        })?;
        let over = |_| Ok(Transformed::yes(site.plan.clone()));
        let node = exprs.data.map_children(over)?.data.recompute_schema()?;
        match node.schema().fields().len() == columns.len() {
            true => Ok(node),
            false => LogicalPlanBuilder::from(node).project(columns)?.build(),
        }
    }

    /// The same expression, its subqueries' own subqueries unnested.
    pub(super) fn inside(&self, expr: Expr, outer: &DFSchemaRef) -> Result<Expr> {
        self.around.borrow_mut().push(Arc::clone(outer));
        let inside = expr.transform_up(|part| {
            Ok(match part {
                Expr::Exists(exists) => Transformed::yes(Expr::Exists(Exists {
                    subquery: self.subquery(exists.subquery)?,
                    ..exists
                })),
                Expr::InSubquery(member) => Transformed::yes(Expr::InSubquery(InSubquery {
                    subquery: self.subquery(member.subquery)?,
                    ..member
                })),
                Expr::SetComparison(compared) => Transformed::yes(Expr::SetComparison(SetComparison {
                    subquery: self.subquery(compared.subquery)?,
                    ..compared
                })),
                Expr::ScalarSubquery(subquery) => Transformed::yes(Expr::ScalarSubquery(self.subquery(subquery)?)),
                part => Transformed::no(part),
            })
        });
        self.around.borrow_mut().pop();
        Ok(inside?.data)
    }

    fn subquery(&self, subquery: Subquery) -> Result<Subquery> {
        let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
        let outer_ref_columns = plan.all_out_ref_exprs();
        Ok(Subquery {
            outer_ref_columns,
            subquery: Arc::new(plan),
            spans: subquery.spans,
        })
    }
}

impl Site<'_> {
    /// A conjunct of a filter: `None` if a join says it already.
    fn conjunct(&mut self, conjunct: Expr) -> Result<Option<Expr>> {
        let (expr, negated) = without_not(conjunct);
        match expr {
            Expr::Exists(exists) => self.keep_existing(exists, negated),
            Expr::InSubquery(member) => self.keep_members(member, negated),
            expr if negated => self.value(!expr).map(Some),
            expr => self.truth(expr).map(Some),
        }
    }

    /// The expression as far as it is true: whether it is false or unknown does not matter.
    fn truth(&mut self, expr: Expr) -> Result<Expr> {
        match expr {
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: op @ (Operator::And | Operator::Or),
                right,
            }) => Ok(binary_expr(self.truth(*left)?, op, self.truth(*right)?)),
            Expr::InSubquery(member) if !member.negated => self.is_surely(member),
            expr => self.value(expr),
        }
    }

    /// The expression over columns: no subquery is left in it but uncorrelated scalar ones.
    pub(super) fn value(&mut self, expr: Expr) -> Result<Expr> {
        let value = expr.transform_up(|part| {
            Ok(match part {
                Expr::Exists(exists) => Transformed::yes(self.exists(exists)?),
                Expr::InSubquery(member) => Transformed::yes(self.member(member)?),
                Expr::SetComparison(compared) => Transformed::yes(self.quantified(compared)?),
                Expr::ScalarSubquery(subquery) => Transformed::yes(self.scalar(subquery)?),
                part => Transformed::no(part),
            })
        })?;
        Ok(value.data)
    }
}

fn without_not(expr: Expr) -> (Expr, bool) {
    match expr {
        Expr::Not(inner) => {
            let (inner, negated) = without_not(*inner);
            (inner, !negated)
        }
        expr => (expr, false),
    }
}

fn filtered(plan: LogicalPlan, conjuncts: Vec<Expr>) -> Result<LogicalPlan> {
    match conjunction(conjuncts) {
        Some(predicate) => Ok(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(plan))?)),
        None => Ok(plan),
    }
}
