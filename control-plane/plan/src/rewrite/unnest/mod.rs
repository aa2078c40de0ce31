//! Subqueries as joins, wherever they stand and however deep they are correlated.
//!
//! ```text
//! outer ⋉ subquery that reads outer.k   →   outer ⋈ (what the subquery is for each k of D)
//!                                           D = the distinct k of outer
//! ```
//!
//! The dependent join of Neumann and Kemper ("Unnesting Arbitrary Queries", 2015): D is pushed down through the subquery's operators
//! (`push`) until nothing below reads the outer side; an equality between a column and a correlated one stands for D, so that ordinary
//! subqueries become ordinary joins. What the values then mean where the subquery stood is told by `exists`, `member`, `quantified` and
//! `scalar`. Left out: filters' conjuncts that DataFusion makes joins of rightly (`simple`), and scalar subqueries that are not correlated,
//! which are computed once, beside the plan.

mod all;
mod condition;
mod each;
mod exists;
mod full;
mod join;
mod lateral;
mod limits;
mod member;
mod place;
mod push;
mod quantified;
mod scalar;
mod scope;
mod simple;
mod site;
mod sort;

pub(crate) use scope::is_subquery_within;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::AnalyzerRule;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// What placed subqueries are called, before their numbers.
const SUBQUERY: &str = "subquery";

/// Runs after types were coerced: what it makes compares like with like.
#[derive(Debug)]
pub(crate) struct Unnest;

impl AnalyzerRule for Unnest {
    fn name(&self) -> &'static str {
        "unnest"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if !scope::has_subqueries(&plan)? {
            return Ok(plan);
        }
        let unnested = match Unnester::default().plan(plan.clone()) {
            Err(refusal) if push::is_unrepeatable(&refusal) => match limits::ordered(plan)? {
                ordered if ordered.transformed => Unnester::default().plan(ordered.data),
                _ => Err(refusal),
            },
            unnested => unnested,
        };
        let plan = unnested?;
        match scope::outer_columns(&plan)?.first() {
            None => Ok(plan),
            Some(column) => plan_err!(
                "column '{}' of an outer query is not there where the subquery stands: it must appear in the GROUP BY clause or in an aggregate function",
                column.flat_name()
            ),
        }
    }
}

/// The pass, and the names that it has given.
#[derive(Default)]
struct Unnester {
    given: Cell<usize>,
    /// The outer sides of the subqueries that are being unnested, the outermost first.
    around: RefCell<Vec<DFSchemaRef>>,
}

impl Unnester {
    /// A plan without any subquery but the simple and the uncorrelated scalar ones. Its columns are those of the given one.
    fn plan(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let unnested = plan.transform_up(|node| self.node(node))?;
        without_wrappers(unnested.data)
    }

    fn node(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let node = node.recompute_schema()?;
        match node {
            LogicalPlan::Join(join) => self.join(join).map(Transformed::yes),
            node if !scope::node_has_subqueries(&node)? => Ok(Transformed::yes(node)),
            LogicalPlan::Filter(filter) => self.filter(filter).map(Transformed::yes),
            LogicalPlan::Sort(sort) => self.sort(sort).map(Transformed::yes),
            LogicalPlan::Values(values) => self.plan(push::rows(values)?).map(Transformed::yes),
            node => self.expressions(node).map(Transformed::yes),
        }
    }

    /// A name that nobody else has: no identifier that a query writes begins like this.
    fn name(&self, what: &str) -> String {
        let number = self.given.get() + 1;
        self.given.set(number);
        format!("{}{number}", named(what))
    }
}

/// How such names begin.
fn named(what: &str) -> String {
    format!("__{what}_")
}

/// Whether this is what a subquery has become, placed beside its outer side.
pub(crate) fn is_subquery(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => alias.alias.table().starts_with(&named(SUBQUERY)),
        LogicalPlan::Projection(projection) => is_subquery(&projection.input),
        LogicalPlan::Filter(filter) => is_subquery(&filter.input),
        _ => false,
    }
}

/// What marks a lateral relation is no operator. One that no join beside it took reads an outer query, as its own columns say.
fn without_wrappers(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plain = plan.transform_up(|node| match node {
        LogicalPlan::Subquery(wrapper) => Ok(Transformed::yes(Arc::unwrap_or_clone(wrapper.subquery))),
        node => Ok(Transformed::no(node)),
    })?;
    Ok(plain.data)
}
