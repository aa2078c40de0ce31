//! Bare names of columns → what they stand for, also in subqueries that do not use the name for something else.

use super::column::Column;
use super::scope::Scope;
use super::syntax;
use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, Query, VisitMut, VisitorMut};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Columns that a bare name means without doubt.
pub(super) struct Named(BTreeMap<String, Expr>);

impl Named {
    /// The merged ones.
    pub(super) fn merged(columns: &[Column]) -> Named {
        Named::of(columns, |column| column.merged)
    }

    pub(super) fn all(columns: &[Column]) -> Named {
        Named::of(columns, |_| true)
    }

    fn of(columns: &[Column], wanted: impl Fn(&Column) -> bool) -> Named {
        let shown = || columns.iter().filter(|column| column.shown);
        let is_alone = |name: &str| shown().filter(|column| column.name == name).count() == 1;
        let named = shown().filter(|column| wanted(column) && is_alone(&column.name));
        Named(
            named
                .map(|column| (column.name.clone(), column.value.clone()))
                .collect(),
        )
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the expression stands for if it is nothing but such a name.
    pub(super) fn value(&self, expr: &Expr) -> Option<&Expr> {
        match expr {
            Expr::Identifier(ident) => self.0.get(&syntax::lower(ident)),
            Expr::Nested(inner) => self.value(inner),
            _ => None,
        }
    }

    pub(super) fn substitute(&self, scope: &Scope<'_>, part: &mut impl VisitMut) {
        let mut substitution = Substitution {
            named: self,
            scope,
            taken: Vec::new(),
        };
        // Nothing breaks off.
        let _ = part.visit(&mut substitution);
    }
}

struct Substitution<'a> {
    named: &'a Named,
    scope: &'a Scope<'a>,
    /// What each enclosing subquery, lambda or field access uses for itself; `None`: maybe everything.
    taken: Vec<Option<Vec<String>>>,
}

impl Substitution<'_> {
    fn is_taken(&self, name: &String) -> bool {
        let takes = |names: &Option<Vec<String>>| names.as_ref().is_none_or(|names| names.contains(name));
        self.taken.iter().any(takes)
    }
}

impl VisitorMut for Substitution<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.taken.push(self.scope.captured(query));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.taken.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(names) = own_names(expr) {
            self.taken.push(Some(names));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if own_names(expr).is_some() {
            self.taken.pop();
        }
        if let Expr::Identifier(ident) = expr {
            let name = syntax::lower(ident);
            if let Some(value) = self.named.0.get(&name)
                && !self.is_taken(&name)
            {
                *expr = value.clone();
            }
        }
        ControlFlow::Continue(())
    }
}

/// Parameters of a lambda, and fields: names that stand for no column.
fn own_names(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Lambda(lambda) => Some(
            lambda
                .params
                .iter()
                .map(|parameter| syntax::lower(&parameter.name))
                .collect(),
        ),
        Expr::CompoundFieldAccess { access_chain, .. } => {
            let field = |access: &AccessExpr| match access {
                AccessExpr::Dot(Expr::Identifier(ident)) => Some(syntax::lower(ident)),
                _ => None,
            };
            Some(access_chain.iter().filter_map(field).collect())
        }
        _ => None,
    }
}
