//! A predicate as conjuncts, also those that all branches of an OR have: they bind keys as well.
//!
//! ```text
//! (a = d and x) or (a = d and y)   →   a = d, x or y
//! ```

use datafusion::logical_expr::utils::{conjunction, disjunction, split_binary_owned, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Operator, lit};

pub(super) fn of(predicate: Expr) -> Vec<Expr> {
    split_conjunction_owned(predicate)
        .into_iter()
        .flat_map(factored)
        .collect()
}

fn factored(conjunct: Expr) -> Vec<Expr> {
    let branches: Vec<Vec<Expr>> = split_binary_owned(conjunct.clone(), Operator::Or)
        .into_iter()
        .map(split_conjunction_owned)
        .collect();
    let [first, others @ ..] = &branches[..] else {
        return vec![conjunct];
    };
    let is_common = |expr: &&Expr| others.iter().all(|branch| branch.contains(*expr));
    let mut common: Vec<Expr> = first.iter().filter(is_common).cloned().collect();
    if others.is_empty() || common.is_empty() {
        return vec![conjunct];
    }
    let rests = branches.into_iter().map(|branch| {
        let rest = branch.into_iter().filter(|expr| !common.contains(expr));
        conjunction(rest).unwrap_or_else(|| lit(true))
    });
    let rest = disjunction(rests.collect::<Vec<_>>());
    common.extend(rest);
    common
}
