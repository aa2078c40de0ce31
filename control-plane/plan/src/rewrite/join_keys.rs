//! Conditions of joins that become their keys.
//!
//! A join has one rule for NULL in all its keys. `a = b` and `a IS NOT DISTINCT FROM b` can therefore not both be keys of one join, and
//! DataFusion's rules lose sight of that: they put the equalities of a WHERE clause to keys that hold where both sides are NULL, and give
//! the joins of a group the rule of its topmost. So:
//!
//! ```text
//! EqualKeys    a = b                     is a key as soon as it is in a join (among DataFusion's rules, in place of theirs)
//! settled      a IS NOT DISTINCT FROM b  is a key where a join has no other (once, behind all rules)
//! ```

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNodeRecursion};
use datafusion::common::{NullEquality, Result};
use datafusion::logical_expr::utils::{can_hash, conjunction, find_valid_equijoin_key_pair, split_conjunction_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable as _, Join, LogicalPlan, Operator};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::collections::BTreeSet;

/// The equalities.
#[derive(Debug)]
pub(crate) struct EqualKeys;

impl OptimizerRule for EqualKeys {
    /// DataFusion's own rule, which also takes IS NOT DISTINCT FROM.
    fn name(&self) -> &str {
        "extract_equijoin_predicate"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Join(join) if takes_equalities(&join) => with_keys(join, Operator::Eq),
            other => Ok(Transformed::no(other)),
        }
    }
}

/// INTERSECT and EXCEPT have keys that may both be NULL.
fn takes_equalities(join: &Join) -> bool {
    join.on.is_empty() || join.null_equality == NullEquality::NullEqualsNothing
}

/// The plan with all equalities as keys, with keys that may both be NULL in joins without others, and with a name of its own for each key.
pub(crate) fn settled(plan: LogicalPlan) -> Result<LogicalPlan> {
    let visit = |node| with_all_keys(node)?.transform_data(|node| Ok(named(node)));
    plan.transform_up_with_subqueries(visit).data()
}

fn with_all_keys(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let keyed = match node {
        LogicalPlan::Join(join) if takes_equalities(&join) => with_keys(join, Operator::Eq)?,
        other => return Ok(Transformed::no(other)),
    };
    keyed.transform_data(|node| match node {
        LogicalPlan::Join(join) if join.on.is_empty() => with_keys(join, Operator::IsNotDistinctFrom),
        other => Ok(Transformed::no(other)),
    })
}

/// DataFusion computes keys below the join as columns, whose names leave casts out: `a IS NULL` is also the name of
/// `CAST(a AS BIGINT) IS NULL`. And where both sides have a name, it takes the relations from all columns of each side.
fn named(node: LogicalPlan) -> Transformed<LogicalPlan> {
    let LogicalPlan::Join(mut join) = node else {
        return Transformed::no(node);
    };
    let mut renamed = false;
    let mut taken: BTreeSet<String> = [&join.left, &join.right]
        .into_iter()
        .flat_map(|side| side.schema().fields().iter().map(|field| field.name().clone()))
        .collect();
    for key in join.on.iter_mut().flat_map(|(left, right)| [left, right]) {
        if matches!(key, Expr::Column(_)) {
            continue;
        }
        let (name, mut text) = (key.schema_name().to_string(), key.to_string());
        while !taken.insert(text.clone()) {
            text.push('\'');
        }
        if name != text {
            *key = std::mem::take(key).alias(text);
            renamed = true;
        }
    }
    Transformed::new(LogicalPlan::Join(join), renamed, TreeNodeRecursion::Continue)
}

/// The join with those of its conditions as keys that compare by the operator a value of the left input and one of the right.
fn with_keys(mut join: Join, operator: Operator) -> Result<Transformed<LogicalPlan>> {
    let Some(filter) = join.filter.take() else {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    };
    let (mut keys, mut others) = (Vec::new(), Vec::new());
    for condition in split_conjunction_owned(filter) {
        match key(&condition, operator, &join)? {
            Some(key) => keys.push(key),
            None => others.push(condition),
        }
    }
    join.filter = conjunction(others);
    if keys.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    join.on.extend(keys);
    join.null_equality = match operator {
        Operator::IsNotDistinctFrom => NullEquality::NullEqualsNull,
        _ => NullEquality::NullEqualsNothing,
    };
    Ok(Transformed::yes(LogicalPlan::Join(join)))
}

fn key(condition: &Expr, operator: Operator, join: &Join) -> Result<Option<(Expr, Expr)>> {
    let (left, right) = (join.left.schema(), join.right.schema());
    let pair = match condition {
        Expr::BinaryExpr(BinaryExpr { left: l, op, right: r }) if *op == operator => {
            find_valid_equijoin_key_pair(l, r, left, right)?
        }
        _ => None,
    };
    let Some((of_left, of_right)) = pair else {
        return Ok(None);
    };
    let hashes = can_hash(&of_left.get_type(left)?) && can_hash(&of_right.get_type(right)?);
    Ok(hashes.then_some((of_left, of_right)))
}
