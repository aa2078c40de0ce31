//! Casts that a name must tell: DataFusion's planner leaves casts, and times of other zones, out of names, and refuses two aggregates, windows or keys of one name.
//!
//! ```text
//! SELECT sum(x), sum(CAST(x AS double))   →   SELECT sum(x), sum(named_cast(CAST(x AS double)))
//! ```
//! Where a SELECT needs it, all casts of it get names, so that what is written twice is the same twice.

use super::{duplicates, syntax};
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, OrderBy, Query, Select, SelectItem, SetExpr, Visit, VisitMut, Visitor, VisitorMut,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The function that stands for a cast with its name.
pub(crate) const NAMED_CAST: &str = "named_cast";

pub(super) fn tell_apart(query: &mut Query) {
    // Nothing breaks off.
    let _ = VisitMut::visit(query, &mut Queries);
}

struct Queries;

impl VisitorMut for Queries {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        selects(&mut query.body, query.order_by.as_mut());
        ControlFlow::Continue(())
    }
}

/// Those of the branches of set operations, too, but not what is a query of its own.
fn selects(body: &mut SetExpr, order_by: Option<&mut OrderBy>) {
    match body {
        SetExpr::Select(select) if clashes(select, order_by.as_deref()) => {
            name_all(select);
            let _ = order_by.map(|order_by| VisitMut::visit(order_by, &mut Names));
        }
        SetExpr::SetOperation { left, right, .. } => {
            selects(left, None);
            selects(right, None);
        }
        _ => {}
    }
}

fn clashes(select: &Select, order_by: Option<&OrderBy>) -> bool {
    let mut found = Found::default();
    let _ = Visit::visit(&select.projection, &mut found);
    let _ = Visit::visit(&select.having, &mut found);
    let _ = Visit::visit(&select.qualify, &mut found);
    let _ = order_by.map(|order_by| Visit::visit(order_by, &mut found));
    if let GroupByExpr::Expressions(keys, _) = &select.group_by {
        // Ordinals and GROUP BY ALL make keys of entries.
        let entries = select.projection.iter().filter_map(|entry| match entry {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        });
        let entries = entries.filter(|_| !keys.is_empty());
        keys.iter().chain(entries).for_each(|key| found.add(key));
    }
    found.clash
}

/// Expressions by the name that they would have.
#[derive(Default)]
struct Found {
    names: BTreeMap<String, String>,
    clash: bool,
}

impl Found {
    fn add(&mut self, expr: &Expr) {
        let (name, written) = (duplicates::planned_as(expr), as_written(expr));
        let first = self.names.entry(name).or_insert_with(|| written.clone());
        self.clash |= *first != written;
    }
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Function(_)) {
            self.add(expr);
        }
        ControlFlow::Continue(())
    }
}

/// The text without the relations of columns.
fn as_written(expr: &Expr) -> String {
    struct Bare;
    impl VisitorMut for Bare {
        type Break = ();
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::CompoundIdentifier(parts) = expr
                && let Some(last) = parts.pop()
            {
                *expr = Expr::Identifier(last);
            }
            ControlFlow::Continue(())
        }
    }
    let mut bare = expr.clone();
    let _ = VisitMut::visit(&mut bare, &mut Bare);
    bare.to_string().to_lowercase()
}

fn name_all(select: &mut Select) {
    let _ = VisitMut::visit(&mut select.projection, &mut Names);
    let _ = VisitMut::visit(&mut select.group_by, &mut Names);
    let _ = VisitMut::visit(&mut select.having, &mut Names);
    let _ = VisitMut::visit(&mut select.qualify, &mut Names);
}

struct Names;

impl VisitorMut for Names {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Cast { .. } | Expr::AtTimeZone { .. }) {
            let cast = expr.clone();
            *expr = syntax::call(NAMED_CAST, vec![cast]);
        }
        ControlFlow::Continue(())
    }
}
