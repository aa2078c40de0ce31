//! Scalar subqueries across stages. DataFusion computes them beside the plan that uses them and hands the values over in memory; no
//! value crosses a process that way. Each stage whose expressions read values gets an operator of its own that computes them: from
//! a broadcast of the subquery's result, so that the subquery itself runs once.

use super::draft::Draft;
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::physical_planning_context::{ScalarSubqueryResults, SubqueryIndex};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::scalar_subquery::{ScalarSubqueryExec, ScalarSubqueryLink};
use mayfly_fragment::ExchangeExec;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The subqueries of one level of a query. Expressions name them by index.
#[derive(Debug)]
pub(crate) struct Scope {
    results: ScalarSubqueryResults,
    /// By index: the boundary and what is below it.
    pub producers: Vec<(ExchangeExec, Draft)>,
}

impl Scope {
    pub(super) fn new(results: ScalarSubqueryResults, producers: Vec<(ExchangeExec, Draft)>) -> Scope {
        Scope { results, producers }
    }

    /// The plan under an operator that computes the values it reads. `leaf` gives the input for an index that is read; the others
    /// keep their index and stay empty.
    pub(super) fn wrap(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        used: &BTreeSet<usize>,
        leaf: &mut dyn FnMut(usize, &ExchangeExec) -> Result<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut links = Vec::new();
        for (index, (exchange, _)) in self.producers.iter().enumerate() {
            let plan: Arc<dyn ExecutionPlan> = match used.contains(&index) {
                true => leaf(index, exchange)?,
                false => Arc::new(EmptyExec::new(exchange.input.schema())),
            };
            links.push(ScalarSubqueryLink {
                plan,
                index: SubqueryIndex::new(index),
            });
        }
        Ok(Arc::new(ScalarSubqueryExec::new(plan, links, self.results.clone())))
    }
}

/// All scopes of a query, by number.
#[derive(Debug, Default)]
pub(crate) struct Scopes(Vec<Scope>);

impl Scopes {
    pub(super) fn add(&mut self, scope: Scope) -> usize {
        self.0.push(scope);
        self.0.len() - 1
    }

    pub(crate) fn get(&self, scope: usize) -> &Scope {
        &self.0[scope]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

/// Indexes of the subqueries whose values this part's expressions read, and the order in which it hands its rows on.
pub(super) fn used(plan: &Arc<dyn ExecutionPlan>, above: Option<&ExchangeExec>) -> Result<BTreeSet<usize>> {
    let mut used = BTreeSet::new();
    visit(plan, &mut used)?;
    above.map_or(Ok(()), |exchange| visit_order(exchange, &mut used))?;
    Ok(used)
}

fn visit_order(exchange: &ExchangeExec, used: &mut BTreeSet<usize>) -> Result<()> {
    let mut keys = exchange.ordering.iter().flat_map(|ordering| ordering.iter());
    keys.try_for_each(|key| visit_expression(&key.expr, used))
}

fn visit(plan: &Arc<dyn ExecutionPlan>, used: &mut BTreeSet<usize>) -> Result<()> {
    // Below an exchange it is another part's, but this part merges by its order; below its own operator it is provided for.
    if let Some(exchange) = plan.downcast_ref::<ExchangeExec>() {
        return visit_order(exchange, used);
    }
    if plan.is::<ScalarSubqueryExec>() {
        return Ok(());
    }
    plan.apply_expressions(&mut |expr| {
        visit_expression(expr, used)?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    plan.children().into_iter().try_for_each(|child| visit(child, used))
}

/// Whether an expression reads the value of a subquery.
pub(crate) fn is_read_by(expr: &Arc<dyn PhysicalExpr>) -> Result<bool> {
    let mut used = BTreeSet::new();
    visit_expression(expr, &mut used)?;
    Ok(!used.is_empty())
}

#[expect(deprecated, reason = "the index alone says which subquery an expression reads")]
fn visit_expression(expr: &Arc<dyn PhysicalExpr>, used: &mut BTreeSet<usize>) -> Result<()> {
    expr.apply(|expr| {
        if let Some(subquery) = expr.downcast_ref::<ScalarSubqueryExpr>() {
            used.insert(subquery.index().as_usize());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
