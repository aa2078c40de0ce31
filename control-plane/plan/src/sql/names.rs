//! What result columns are called: as they are spelled in the query, `_colN` where they have no name, twice the same if so written.
//! DataFusion knows none of the three, so that names stand apart from the plan.

use super::duplicates;
use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, Select, SelectItem, SetExpr};

/// One entry of the outermost SELECT list.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Named(String),
    Unnamed,
    /// As many columns as the plan makes of it.
    Wildcard,
}

/// The outermost SELECT list, as far as it gives names. Empty for VALUES and TABLE, whose names the plan gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputNames(Vec<Item>);

impl OutputNames {
    pub(super) fn of(query: &Query) -> OutputNames {
        let items = leftmost(&query.body).map(|select| select.projection.iter().map(item).collect());
        OutputNames(items.unwrap_or_default())
    }

    /// The names of a result with these columns in the plan.
    pub(crate) fn resolve(&self, planned: &[String]) -> Vec<String> {
        let wildcards = self.0.iter().filter(|item| **item == Item::Wildcard).count();
        match wildcards {
            0 if self.0.len() == planned.len() => self.expand(planned, 0),
            1 if self.0.len() <= planned.len() + 1 => self.expand(planned, planned.len() + 1 - self.0.len()),
            // Which column came from which wildcard is not told by the text alone: the plan's names are as good.
            _ => planned
                .iter()
                .enumerate()
                .map(|(at, name)| planned_name(at, duplicates::written(name)))
                .collect(),
        }
    }

    fn expand(&self, planned: &[String], wildcard_columns: usize) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(planned.len());
        for item in &self.0 {
            let at = names.len();
            match item {
                Item::Named(name) => names.push(name.clone()),
                Item::Unnamed => names.push(format!("_col{at}")),
                Item::Wildcard => {
                    let columns = planned[at..at + wildcard_columns].iter();
                    names.extend(columns.map(|name| duplicates::written(name).to_owned()));
                }
            }
        }
        names
    }
}

/// DataFusion names an unnamed expression by its text, which no plain column name looks like.
fn planned_name(at: usize, name: &str) -> String {
    if name.contains(['(', ' ', '+', '*']) {
        format!("_col{at}")
    } else {
        name.to_owned()
    }
}

fn leftmost(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => leftmost(&query.body),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        _ => None,
    }
}

fn item(item: &SelectItem) -> Item {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Item::Named(alias.value.clone()),
        SelectItem::UnnamedExpr(expr) => {
            reference(expr).map_or(Item::Unnamed, |ident| Item::Named(ident.value.clone()))
        }
        SelectItem::ExprWithAliases { .. } | SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => {
            Item::Wildcard
        }
    }
}

/// The last part of a plain column reference.
pub(super) fn reference(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(ident) => Some(ident),
        Expr::CompoundIdentifier(parts) => parts.last(),
        Expr::Nested(inner) => reference(inner),
        _ => None,
    }
}
