//! Entries of SELECT lists that DataFusion would take for one another, or that an outer query's `*` would show under the text of their
//! expression: they get aliases. Results show none of these but `_colN`.

use super::names::reference;
use super::syntax;
use datafusion::sql::sqlparser::ast::{
    Cte, Distinct, Expr, Ident, OrderBy, OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor, UnaryOperator,
    Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Begins an alias of ours; the number behind it ends with the next `_`, and then the column's own name stands.
const PREFIX: &str = "__duplicate_";

pub(super) fn separate(query: &mut Query) {
    // Nothing breaks off.
    let _ = VisitMut::visit(query, &mut Separate);
}

/// The name as it is written in the query.
pub(crate) fn written(planned: &str) -> &str {
    let numbered = planned.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
    numbered.map_or(planned, |(_, name)| name)
}

struct Separate;

impl VisitorMut for Separate {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        separate_entries(select);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for Cte { query, .. } in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            name_entries(query, false);
            part_namesakes(query);
        }
        name_ordered(query);
        name_later_branches(&mut query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, relation: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { subquery, lateral, .. } = relation {
            name_entries(subquery, *lateral);
            part_namesakes(subquery);
        }
        ControlFlow::Continue(())
    }
}

fn separate_entries(select: &mut Select) {
    let wildcard = has_wildcard(select);
    let mut seen = BTreeSet::new();
    for (at, entry) in select.projection.iter_mut().enumerate() {
        let (expr, alias) = match entry {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias.value.to_lowercase())),
            _ => continue,
        };
        // A wildcard brings columns that the text does not name; a bare reference beside it may be one of them.
        let clashes = wildcard && alias.is_none() && reference(expr).is_some();
        let spelled = alias.unwrap_or_else(|| planned_as(expr));
        let name = reference(expr).map(|ident| ident.value.to_lowercase());
        // A subquery is planned under the name of its column, or under none.
        let unnamed = name.is_none() && matches!(entry, SelectItem::UnnamedExpr(expr) if asks(expr));
        if !seen.insert(spelled.clone()) || clashes || unnamed {
            let name = match entry {
                SelectItem::ExprWithAlias { .. } => spelled,
                _ => name.unwrap_or_else(|| format!("_col{at}")),
            };
            set_alias(entry, &format!("{PREFIX}{at}_{name}"));
        }
    }
}

/// Whether there is a subquery in the expression.
fn asks(expr: &Expr) -> bool {
    struct Queries;
    impl Visitor for Queries {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    Visit::visit(expr, &mut Queries).is_break()
}

fn has_wildcard(select: &Select) -> bool {
    let is_wildcard = |entry: &SelectItem| {
        matches!(
            entry,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) | SelectItem::ExprWithAliases { .. }
        )
    };
    select.projection.iter().any(is_wildcard)
}

fn set_alias(entry: &mut SelectItem, alias: &str) {
    if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = entry {
        *entry = SelectItem::ExprWithAlias {
            expr: expr.clone(),
            alias: Ident::with_quote('"', alias),
        };
    }
}

/// What DataFusion names the expression by, or more: casts, parentheses and qualifiers do not count.
pub(super) fn planned_as(expr: &Expr) -> String {
    struct Plain;
    impl VisitorMut for Plain {
        type Break = ();
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            let inner = match expr {
                Expr::Cast { expr, .. } | Expr::Nested(expr) => Some(expr.as_ref().clone()),
                Expr::AtTimeZone { timestamp, .. } => Some(timestamp.as_ref().clone()),
                Expr::TypedString(typed) => Some(Expr::Value(typed.value.clone())),
                Expr::CompoundIdentifier(parts) => parts.last().cloned().map(Expr::Identifier),
                Expr::UnaryOp {
                    op: UnaryOperator::Plus,
                    expr,
                } => Some(expr.as_ref().clone()),
                _ => None,
            };
            if let Some(inner) = inner {
                *expr = inner;
            }
            if let Expr::Identifier(ident) = expr {
                ident.quote_style = None;
            }
            ControlFlow::Continue(())
        }
    }
    let mut plain = expr.clone();
    let _ = VisitMut::visit(&mut plain, &mut Plain);
    plain.to_string().to_lowercase()
}

/// Columns of a derived table that have no name are shown as `_colN`, and those that a lateral one takes from outside keep theirs. Left alone
/// where ORDER BY may repeat an entry of the list.
fn name_entries(query: &mut Query, lateral: bool) {
    let ordered = query.order_by.is_some();
    let Some(select) = leftmost(&mut query.body) else {
        return;
    };
    if has_wildcard(select) || (ordered && matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_)))) {
        return;
    }
    for (at, entry) in select.projection.iter_mut().enumerate() {
        let SelectItem::UnnamedExpr(expr) = entry else {
            continue;
        };
        match reference(expr).map(syntax::lower) {
            Some(name) if lateral => set_alias(entry, &name),
            None if !unnests(expr) => set_alias(entry, &format!("_col{at}")),
            _ => {}
        }
    }
}

/// Where a derived table has a name twice, neither column has it: a reference would be ambiguous, and is not to mean the first.
fn part_namesakes(query: &mut Query) {
    let ordered = query.order_by.is_some();
    let Some(select) = leftmost(&mut query.body) else {
        return;
    };
    // ORDER BY may repeat an entry.
    if ordered && select.distinct.is_some() {
        return;
    }
    let names: Vec<Option<String>> = select.projection.iter().map(output_name).collect();
    let is_later = |name: &String| names.iter().flatten().filter(|other| written(other) == name).count() > 1;
    for (at, (entry, name)) in select.projection.iter_mut().zip(&names).enumerate() {
        if let Some(name) = name.as_ref().filter(|name| is_later(name)) {
            set_alias(entry, &format!("{PREFIX}{at}_{name}"));
        }
    }
}

fn output_name(entry: &SelectItem) -> Option<String> {
    match entry {
        SelectItem::ExprWithAlias { alias, .. } => Some(syntax::lower(alias)),
        SelectItem::UnnamedExpr(expr) => reference(expr).map(syntax::lower),
        _ => None,
    }
}

/// DataFusion gives computed entries of a set operation's later branches the names of the first, whoever has them already.
fn name_later_branches(body: &mut SetExpr) {
    if let SetExpr::SetOperation { left, right, .. } = body {
        name_later_branches(left);
        name_computed(right);
    }
}

fn name_computed(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for (at, entry) in select.projection.iter_mut().enumerate() {
                if matches!(entry, SelectItem::UnnamedExpr(_)) && !is_reference(entry) {
                    set_alias(entry, &format!("{PREFIX}{at}__col{at}"));
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            name_computed(left);
            name_computed(right);
        }
        SetExpr::Query(query) => name_computed(&mut query.body),
        _ => {}
    }
}

/// `ORDER BY 2`: DataFusion looks a computed entry up by its text, which says nothing where rows are grouped. Left alone beside DISTINCT, where
/// ORDER BY may repeat the entry.
fn name_ordered(query: &mut Query) {
    let (
        Some(OrderBy {
            kind: OrderByKind::Expressions(keys),
            ..
        }),
        SetExpr::Select(select),
    ) = (&query.order_by, query.body.as_mut())
    else {
        return;
    };
    if select.distinct.is_some() || has_wildcard(select) {
        return;
    }
    for position in keys.iter().filter_map(|key| position(&key.expr)) {
        let at = position.wrapping_sub(1);
        match select.projection.get_mut(at) {
            Some(entry @ SelectItem::UnnamedExpr(_)) if !is_reference(entry) => {
                set_alias(entry, &format!("{PREFIX}{at}__col{at}"));
            }
            _ => {}
        }
    }
}

fn position(key: &Expr) -> Option<usize> {
    match key {
        Expr::Value(ValueWithSpan {
            value: Value::Number(digits, _),
            ..
        }) => digits.parse().ok(),
        _ => None,
    }
}

fn is_reference(entry: &SelectItem) -> bool {
    matches!(entry, SelectItem::UnnamedExpr(expr) if reference(expr).is_some() || unnests(expr))
}

/// As many columns as a struct has fields.
fn unnests(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => function.name.to_string().to_lowercase().starts_with("unnest"),
        Expr::Nested(inner) => unnests(inner),
        _ => false,
    }
}

fn leftmost(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => leftmost(&mut query.body),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        _ => None,
    }
}
