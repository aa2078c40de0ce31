//! A subquery's outer columns have the types that they have where it stands. A set operation may widen a column after a subquery beside it
//! was bound to the narrower type (`SELECT 1 … UNION ALL SELECT BIGINT '2' …` as the outer side), and DataFusion would compare both as they
//! are.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, ExprSchema, Result};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercionRewriter;
use std::sync::Arc;

/// Runs before types are coerced, but for those of set operations, which it coerces itself.
#[derive(Debug)]
pub(super) struct OuterTypes;

impl AnalyzerRule for OuterTypes {
    fn name(&self) -> &'static str {
        "outer_types"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if !reads_outward(&plan)? {
            return Ok(plan);
        }
        let widened = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Union(union) => TypeCoercionRewriter::coerce_union(union).map(Transformed::yes),
            other => other.recompute_schema().map(Transformed::no),
        })?;
        typed(widened.data, &[])
    }
}

/// Whether a subquery, however deep, reads an outer query.
fn reads_outward(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            found |= expr.exists(|part| Ok(matches!(part, Expr::OuterReferenceColumn(..))))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(match found {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(found)
}

/// `around`: what the outer queries' columns are, the innermost last.
fn typed(plan: LogicalPlan, around: &[DFSchemaRef]) -> Result<LogicalPlan> {
    let plan = match plan {
        LogicalPlan::Subquery(wrapper) => LogicalPlan::Subquery(typed_subquery(wrapper, around)?),
        LogicalPlan::Join(mut join) => {
            join.left = Arc::new(typed(Arc::unwrap_or_clone(join.left), around)?);
            // Lateral relations read what stands on their left.
            let beside = with(around, Arc::clone(join.left.schema()));
            join.right = Arc::new(typed(Arc::unwrap_or_clone(join.right), &beside)?);
            LogicalPlan::Join(join)
        }
        other => {
            other
                .map_children(|child| typed(child, around).map(Transformed::yes))?
                .data
        }
    };
    let within = with(around, Arc::new(merge_schema(&plan.inputs())));
    let typed = plan.map_expressions(|expr| expr.transform_up(|part| typed_part(part, around, &within)))?;
    typed.data.recompute_schema()
}

fn with(around: &[DFSchemaRef], inner: DFSchemaRef) -> Vec<DFSchemaRef> {
    around.iter().cloned().chain([inner]).collect()
}

fn typed_part(part: Expr, around: &[DFSchemaRef], within: &[DFSchemaRef]) -> Result<Transformed<Expr>> {
    Ok(Transformed::yes(match part {
        Expr::OuterReferenceColumn(field, column) => {
            let found = |schema: &DFSchemaRef| schema.field_from_column(&column).ok().cloned();
            let now = around.iter().rev().find_map(found);
            Expr::OuterReferenceColumn(now.unwrap_or(field), column)
        }
        Expr::ScalarSubquery(subquery) => Expr::ScalarSubquery(typed_subquery(subquery, within)?),
        Expr::Exists(mut exists) => {
            exists.subquery = typed_subquery(exists.subquery, within)?;
            Expr::Exists(exists)
        }
        Expr::InSubquery(mut member) => {
            member.subquery = typed_subquery(member.subquery, within)?;
            Expr::InSubquery(member)
        }
        Expr::SetComparison(mut comparison) => {
            comparison.subquery = typed_subquery(comparison.subquery, within)?;
            Expr::SetComparison(comparison)
        }
        other => return Ok(Transformed::no(other)),
    }))
}

fn typed_subquery(subquery: Subquery, around: &[DFSchemaRef]) -> Result<Subquery> {
    let plan = typed(Arc::unwrap_or_clone(subquery.subquery), around)?;
    let columns = subquery.outer_ref_columns.into_iter();
    let columns = columns.map(|column| column.transform_up(|part| typed_part(part, around, around)));
    Ok(Subquery {
        subquery: Arc::new(plan),
        outer_ref_columns: columns.map(|column| Ok(column?.data)).collect::<Result<_>>()?,
        spans: subquery.spans,
    })
}
