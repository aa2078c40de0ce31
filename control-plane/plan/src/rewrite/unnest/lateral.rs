//! LATERAL, and UNNEST of a column: the relation on the right of a join reads the one on its left.
//!
//! Where it makes its rows of one outer row alone, as UNNEST does, the outer rows themselves are pushed into it, and nothing is joined back.

use super::Unnester;
use super::join::{Pair, join};
use super::push::Push;
use super::scope::{self, Scope};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema as _, NullEquality, NullHandling, Result, not_impl_err};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder};
use std::sync::Arc;

impl Unnester {
    pub(super) fn join(&self, node: Join) -> Result<LogicalPlan> {
        if self.is_lateral(&node)? {
            return self.lateral(node);
        }
        let node = LogicalPlan::Join(node);
        match (scope::node_has_subqueries(&node)?, node) {
            (true, LogicalPlan::Join(node)) => self.condition(node),
            (_, node) => Ok(node),
        }
    }

    /// A lateral relation is marked, unless only subqueries in it read the left side. What no query around has can be nobody else's.
    fn is_lateral(&self, node: &Join) -> Result<bool> {
        let left = Scope(node.left.schema());
        if reads_laterally(&node.right, left)? {
            return Ok(true);
        }
        let around = self.around.borrow();
        let is_left = |column: &Column| left.has(column) && !around.iter().any(|outer| Scope(outer).has(column));
        Ok(scope::outer_columns(&node.right)?.iter().any(is_left))
    }

    fn lateral(&self, node: Join) -> Result<LogicalPlan> {
        let condition = node.filter.clone().map(split_conjunction_owned).unwrap_or_default();
        let is_true = |conjunct: &Expr| matches!(conjunct, Expr::Literal(value, _) if *value == true.into());
        let condition: Vec<Expr> = condition.into_iter().filter(|conjunct| !is_true(conjunct)).collect();
        let is_plain = node.on.is_empty() && condition.is_empty();
        match node.join_type {
            JoinType::Inner if is_row_wise(&node.right) && node.on.is_empty() => {
                let plan = self.row_wise(&node, Arc::unwrap_or_clone(node.right.clone()))?;
                self.where_true(plan, condition)
            }
            JoinType::Inner => {
                let (later, now): (Vec<_>, Vec<_>) = condition.into_iter().partition(scope::is_subquery_within);
                let plan = self.dependent(node, now)?;
                self.where_true(plan, later)
            }
            JoinType::Left if is_plain && is_unnest(&node.right) => {
                let kept = keeping_empty(Arc::unwrap_or_clone(node.right.clone()))?;
                self.row_wise(&node, kept)
            }
            JoinType::Left if condition.iter().any(scope::is_subquery_within) => {
                let node = self.narrowed(node, condition)?;
                self.dependent(node, Vec::new())
            }
            JoinType::Left => self.dependent(node, condition),
            other => {
                not_impl_err!("{other} JOIN of a LATERAL relation is not supported: use CROSS, INNER or LEFT JOIN")
            }
        }
    }

    fn where_true(&self, plan: LogicalPlan, conjuncts: Vec<Expr>) -> Result<LogicalPlan> {
        match conjunction(conjuncts) {
            Some(predicate) => self.filter(Filter::try_new(predicate, Arc::new(plan))?),
            None => Ok(plan),
        }
    }

    /// The condition inside the right relation, where the left one is an outer side like another.
    fn narrowed(&self, node: Join, condition: Vec<Expr>) -> Result<Join> {
        let left = Arc::clone(node.left.schema());
        let condition = condition.into_iter().map(|conjunct| as_outer(conjunct, &left));
        let condition = condition.collect::<Result<Vec<_>>>()?;
        self.around.borrow_mut().push(left);
        let right = self.where_true(Arc::unwrap_or_clone(node.right), condition);
        self.around.borrow_mut().pop();
        Ok(Join {
            right: Arc::new(right?),
            filter: None,
            ..node
        })
    }

    fn dependent(&self, node: Join, condition: Vec<Expr>) -> Result<LogicalPlan> {
        let left = Arc::unwrap_or_clone(node.left);
        let columns = node.right.schema().columns();
        let push = Push::new(self, &left, &node.right)?;
        let right = push.attach(Arc::unwrap_or_clone(node.right))?;
        let right = push.present(right)?;
        let right = push.trimmed(right, &columns)?;
        let mut pairs = push.pairs(&right.bound);
        pairs.extend(node.on.into_iter().map(|(left, right)| Pair {
            left,
            right,
            null_safe: node.null_equality == NullEquality::NullEqualsNull,
        }));
        let plan = join(left, right.plan, node.join_type, &pairs, condition)?;
        let shown = node.schema.columns().into_iter().map(Expr::Column);
        LogicalPlanBuilder::from(plan)
            .project(shown.collect::<Vec<_>>())?
            .build()
    }

    /// The rows of the right relation beside the outer row that they were made of.
    fn row_wise(&self, node: &Join, right: LogicalPlan) -> Result<LogicalPlan> {
        let outer = node.left.schema().columns();
        let own = right.schema().columns();
        let push = Push::of_rows(self, &node.left);
        let rows = push.attach(right)?;
        let rows = push.complete(rows)?;
        let keys: Vec<Column> = rows.columns().collect();
        let shown = outer.into_iter().zip(keys).map(|(column, key)| {
            let (relation, name) = (column.relation, column.name);
            Expr::Column(key).alias_qualified(relation, name)
        });
        let shown: Vec<Expr> = shown.chain(own.into_iter().map(Expr::Column)).collect();
        LogicalPlanBuilder::from(rows.plan).project(shown)?.build()
    }
}

/// The expression with columns of this scope as those of an outer query.
fn as_outer(expr: Expr, scope: &DFSchema) -> Result<Expr> {
    let outer = expr.transform_up(|part| match part {
        Expr::Column(column) if Scope(scope).has(&column) => {
            let field = Arc::clone(scope.field_from_column(&column)?);
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        part => Ok(Transformed::no(part)),
    })?;
    Ok(outer.data)
}

/// A lateral relation in this plan reads the scope.
fn reads_laterally(plan: &LogicalPlan, scope: Scope<'_>) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        if let LogicalPlan::Subquery(wrapper) = node {
            found |= scope.is_read_in(&wrapper.subquery)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Operators over no table that look at one row at a time.
fn is_row_wise(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        LogicalPlan::Projection(projection) => is_row_wise(&projection.input),
        LogicalPlan::Filter(filter) => is_row_wise(&filter.input),
        LogicalPlan::Unnest(unnest) => is_row_wise(&unnest.input),
        LogicalPlan::SubqueryAlias(alias) => is_row_wise(&alias.input),
        LogicalPlan::Subquery(wrapper) => is_row_wise(&wrapper.subquery),
        _ => false,
    }
}

/// UNNEST and nothing else: where it has no row, a row of NULLs is what a left join wants.
fn is_unnest(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => {
            let is_column = |expr: &Expr| matches!(expr.clone().unalias(), Expr::Column(_));
            projection.expr.iter().all(is_column) && is_unnest(&projection.input)
        }
        LogicalPlan::Unnest(unnest) => is_row_wise(&unnest.input) && unnest.struct_type_columns.is_empty(),
        LogicalPlan::SubqueryAlias(alias) => is_unnest(&alias.input),
        LogicalPlan::Subquery(wrapper) => is_unnest(&wrapper.subquery),
        _ => false,
    }
}

fn keeping_empty(plan: LogicalPlan) -> Result<LogicalPlan> {
    let kept = plan.transform_down(|node| match node {
        LogicalPlan::Unnest(mut unnest) => {
            unnest.options.null_handling = NullHandling::PreserveAndExpandEmpty;
            Ok(Transformed::new(
                LogicalPlan::Unnest(unnest),
                true,
                TreeNodeRecursion::Jump,
            ))
        }
        node => Ok(Transformed::no(node)),
    })?;
    Ok(kept.data)
}
