//! GROUP BY lists that DataFusion's binder does not read, written out: `(a, b)` as one entry, ROLLUP and CUBE of several columns at a time
//! or of one twice, of ordinals, and within GROUPING SETS, and sets that are DISTINCT.
//!
//! ```text
//! GROUP BY (a, b)               →   GROUP BY a, b
//! GROUP BY ROLLUP ((a, b), c)   →   GROUP BY GROUPING SETS ((a, b, c), (a, b), ())
//! ```
//! The parser's part of it are words that it does not know: `nested` takes them out of the tokens.

mod nested;

use super::parse::not_supported;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Query, Select, SelectItem, Value,
    ValueWithSpan, VisitMut, VisitorMut,
};
use mayfly_protocol::QueryError;
use nested::DISTINCT;
pub(super) use nested::readable;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// As Trino's `query.max-grouping-sets`.
const SETS_MAX: usize = 2_048;

type Set = Vec<Expr>;

pub(super) fn write_out(query: &mut Query) -> Result<(), QueryError> {
    match VisitMut::visit(query, &mut Selects) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Selects;

impl VisitorMut for Selects {
    type Break = QueryError;

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        match written_out(select) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(entries)) => {
                if let GroupByExpr::Expressions(old, _) = &mut select.group_by {
                    *old = entries;
                }
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// The entries that mean the same, if they must change.
fn written_out(select: &Select) -> Result<Option<Vec<Expr>>, QueryError> {
    let GroupByExpr::Expressions(entries, _) = &select.group_by else {
        return Ok(None);
    };
    let (marks, entries): (Vec<&Expr>, Vec<&Expr>) = entries.iter().partition(|entry| is_mark(entry));
    if marks.is_empty() && entries.iter().all(|entry| is_read(entry)) {
        return Ok(None);
    }
    let mut sets = vec![Set::new()];
    for entry in entries {
        sets = product(&sets, &sets_of(entry)?)?;
    }
    for set in &mut sets {
        *set = once(set, &select.projection);
    }
    if !marks.is_empty() {
        let mut seen = BTreeSet::new();
        sets.retain(|set| seen.insert(set.iter().map(Expr::to_string).collect::<BTreeSet<_>>()));
    }
    Ok(Some(match sets.pop() {
        Some(only) if sets.is_empty() && !only.is_empty() => only,
        last => vec![Expr::GroupingSets(sets.into_iter().chain(last).collect())],
    }))
}

fn is_mark(entry: &Expr) -> bool {
    matches!(entry, Expr::Identifier(ident) if ident.value == DISTINCT)
}

/// Whether DataFusion reads the entry.
fn is_read(entry: &Expr) -> bool {
    match entry {
        Expr::Tuple(parts) => parts.is_empty(),
        Expr::Rollup(groups) | Expr::Cube(groups) => {
            let mut seen = BTreeSet::new();
            let plain =
                |group: &Set| matches!(group.as_slice(), [only] if !is_number(only) && seen.insert(only.to_string()));
            groups.iter().all(plain)
        }
        Expr::GroupingSets(sets) => !sets.iter().flatten().any(|part| {
            let nested = matches!(part, Expr::Rollup(_) | Expr::Cube(_) | Expr::Tuple(_));
            nested || is_number(part) || called(part).is_some()
        }),
        _ => true,
    }
}

fn is_number(expr: &Expr) -> bool {
    ordinal(expr).is_some()
}

fn ordinal(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(ValueWithSpan {
            value: Value::Number(digits, _),
            ..
        }) => digits.parse().ok(),
        _ => None,
    }
}

/// The groups of a ROLLUP or CUBE that the parser took for a function.
fn called(expr: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let group = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Tuple(group))) => Some(group.clone()),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Nested(only))) => Some(vec![only.as_ref().clone()]),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(only)) => Some(vec![only.clone()]),
        _ => None,
    };
    let groups: Vec<Set> = list.args.iter().map(group).collect::<Option<_>>()?;
    match function.name.to_string().to_lowercase().as_str() {
        "rollup" => Some(Expr::Rollup(groups)),
        "cube" => Some(Expr::Cube(groups)),
        _ => None,
    }
}

fn sets_of(entry: &Expr) -> Result<Vec<Set>, QueryError> {
    Ok(match entry {
        Expr::Tuple(parts) => vec![parts.clone()],
        Expr::Rollup(groups) => (0..=groups.len()).rev().map(|kept| groups[..kept].concat()).collect(),
        Expr::Cube(groups) => return cube(groups),
        Expr::GroupingSets(sets) => {
            let mut all = Vec::new();
            for set in sets {
                match set.as_slice() {
                    [only] => all.extend(sets_of(&called(only).unwrap_or_else(|| only.clone()))?),
                    _ => all.push(set.clone()),
                }
            }
            all
        }
        other => vec![vec![other.clone()]],
    })
}

fn cube(groups: &[Set]) -> Result<Vec<Set>, QueryError> {
    let mut sets = vec![Set::new()];
    for group in groups {
        sets = product(&sets, &[group.clone(), Set::new()])?;
    }
    Ok(sets)
}

/// Each of the first with each of the second.
fn product(first: &[Set], second: &[Set]) -> Result<Vec<Set>, QueryError> {
    let count = first.len().saturating_mul(second.len());
    if count > SETS_MAX {
        return Err(not_supported(
            &format!("GROUP BY of {count} grouping sets"),
            &format!("{SETS_MAX} is the most"),
        ));
    }
    let with = |set: &Set| {
        second
            .iter()
            .map(|other| [set.as_slice(), other].concat())
            .collect::<Vec<_>>()
    };
    Ok(first.iter().flat_map(with).collect())
}

/// Each column once, and entries of the SELECT list for their ordinals.
fn once(set: &Set, projection: &[SelectItem]) -> Set {
    let mut seen = BTreeSet::new();
    let named = set.iter().map(|part| {
        let entry = ordinal(part).and_then(|at| projection.get(at.checked_sub(1)?));
        match entry {
            Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => expr.clone(),
            _ => part.clone(),
        }
    });
    named.filter(|part| seen.insert(part.to_string())).collect()
}

#[cfg(test)]
mod tests;
