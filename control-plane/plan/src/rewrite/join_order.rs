//! The order of inner joins, chosen by how many rows each is expected to yield.
//!
//! ```text
//! lineitem ⋈ orders ⋈ customer ⋈ σ(nation)   →   lineitem ⋈ (orders ⋈ (customer ⋈ σ(nation)))
//! ```
//!
//! Runs among DataFusion's rules: filters have reached their tables, and columns that nobody needs have not been cut off yet. Other kinds
//! of joins, aggregations and whatever renames or computes columns are left as they are, and are inputs like tables. The query as
//! written stays where the rows of a table are not known, where relations are not all connected by equalities, and where another order
//! does not promise to be clearly cheaper: estimates are often wrong, and who wrote the query may have known why.

mod build;
mod flatten;
mod graph;
mod order;

use crate::context::place;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use graph::Graph;
use order::Ordered;
use std::sync::Arc;

/// Another order is taken if its cost is below this share of the cost as written.
const CLEARLY_CHEAPER: f64 = 0.8;

/// DataFusion's rule after which this one runs.
const AFTER: &str = "push_down_filter";

/// The rule.
#[derive(Debug)]
pub(crate) struct JoinOrder;

/// The rules with this one among them.
pub(crate) fn among(mut rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let after = place(rules.iter().map(|rule| rule.name()), AFTER);
    rules.insert(after + 1, Arc::new(JoinOrder));
    rules
}

impl OptimizerRule for JoinOrder {
    fn name(&self) -> &str {
        "mayfly_join_order"
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        plan.transform_down_with_subqueries(|node| self.visit(node))
    }
}

impl JoinOrder {
    /// Whole groups of joins at once: what is inside was decided with the group.
    fn visit(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        if !flatten::is_inner_join(&node) {
            return Ok(Transformed::no(node));
        }
        let Some(mut graph) = Graph::of(&node) else {
            return Ok(Transformed::no(node));
        };
        let inputs_changed = graph.map_inputs(|input| input.transform_down_with_subqueries(|node| self.visit(node)))?;
        let reordered = cheaper(&graph).and_then(|ordered| build::plan(&graph, &ordered.tree, node.schema()).ok());
        let as_written = || build::plan(&graph, &graph.written, node.schema()).ok();
        let rewritten = match (reordered, inputs_changed) {
            (None, true) => as_written(),
            (reordered, _) => reordered,
        };
        Ok(match rewritten {
            Some(plan) => Transformed::new(plan, true, TreeNodeRecursion::Jump),
            None => Transformed::new(node, false, TreeNodeRecursion::Jump),
        })
    }
}

/// The order to take instead of the one that is written.
fn cheaper(graph: &Graph) -> Option<Ordered> {
    let relations = graph.relations()?;
    let written = order::measured(graph, &relations, &graph.written);
    let greedy = order::greedy(graph, &relations)?;
    (greedy.cost < written.cost * CLEARLY_CHEAPER).then_some(greedy)
}

#[cfg(test)]
mod tests;
