//! Which columns a relation has, told from the text and the tables' columns. `None`: the text does not tell.

use super::column::{self, Column};
use super::{star, syntax};
use crate::Session;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, Ident, ObjectName, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    SetQuantifier, TableAlias, TableFactor, TableWithJoins, With,
};
use mayfly_catalog::{DIRECT_SCHEMA, TableRef};
use std::collections::BTreeMap;

/// Columns of one relation. Stars over stars multiply them.
const COLUMNS_MAX: usize = 20_000;

/// What names mean at one place of a statement.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    tables: &'a BTreeMap<TableRef, Vec<String>>,
    session: &'a Session,
    /// Common table expressions, the innermost last.
    ctes: Vec<(String, Option<Vec<String>>)>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(tables: &'a BTreeMap<TableRef, Vec<String>>, session: &'a Session) -> Scope<'a> {
        Scope {
            tables,
            session,
            ctes: Vec::new(),
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.ctes.len()
    }

    pub(super) fn leave(&mut self, depth: usize) {
        self.ctes.truncate(depth);
    }

    /// From here on, `name` is a common table expression.
    pub(super) fn enter(&mut self, name: &TableAlias, query: &Query) {
        let columns = self.query(query);
        let columns = columns.map(|columns| aliased(&columns, name));
        self.ctes.push((syntax::lower(&name.name), columns));
    }

    fn inside(&self, with: Option<&With>) -> Scope<'a> {
        let mut scope = self.clone();
        for cte in with.iter().flat_map(|with| &with.cte_tables) {
            scope.enter(&cte.alias, &cte.query);
        }
        scope
    }

    /// What a query's columns are called.
    pub(super) fn query(&self, query: &Query) -> Option<Vec<String>> {
        if !query.pipe_operators.is_empty() {
            return None;
        }
        self.inside(query.with.as_ref()).body(&query.body)
    }

    /// What a name in the query means before any name outside: the columns of its relations, and what it calls its own.
    pub(super) fn captured(&self, query: &Query) -> Option<Vec<String>> {
        self.inside(query.with.as_ref()).captured_by(&query.body)
    }

    fn captured_by(&self, body: &SetExpr) -> Option<Vec<String>> {
        match body {
            SetExpr::Select(select) => {
                let relations = self.from(&select.from)?.into_iter().map(|column| column.name);
                Some(relations.chain(self.select(select)?).collect())
            }
            SetExpr::Query(query) => self.captured(query),
            SetExpr::SetOperation { left, right, .. } => {
                let mut names = self.captured_by(left)?;
                names.extend(self.captured_by(right)?);
                Some(names)
            }
            _ => Some(Vec::new()),
        }
    }

    fn body(&self, body: &SetExpr) -> Option<Vec<String>> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation {
                left, set_quantifier, ..
            } => match set_quantifier {
                SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None => self.body(left),
                SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName => None,
            },
            SetExpr::Values(values) => {
                let row = values.rows.first()?;
                Some((1..=row.content.len()).map(|at| format!("column{at}")).collect())
            }
            _ => None,
        }
    }

    fn select(&self, select: &Select) -> Option<Vec<String>> {
        // Once for all stars: each level of nesting would double the work.
        let columns = match select.projection.iter().any(is_star) {
            true => self.from(&select.from)?,
            false => Vec::new(),
        };
        let mut names = Vec::new();
        for item in &select.projection {
            let at = names.len();
            match item {
                SelectItem::UnnamedExpr(expr) => names.push(name(expr, at)?),
                SelectItem::ExprWithAlias { expr, .. } if unnests(expr) => return None,
                SelectItem::ExprWithAlias { alias, .. } => names.push(syntax::lower(alias)),
                SelectItem::ExprWithAliases { .. } => return None,
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(relation), options) => {
                    let relation: Vec<String> = syntax::parts(relation).iter().map(syntax::lower).collect();
                    let columns = columns.iter().filter(|column| column.is_of(&relation));
                    names.extend(star::names(columns, options)?);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => return None,
                SelectItem::Wildcard(options) => {
                    names.extend(star::names(columns.iter().filter(|column| column.shown), options)?);
                }
            }
        }
        (names.len() <= COLUMNS_MAX).then_some(names)
    }

    fn from(&self, from: &[TableWithJoins]) -> Option<Vec<Column>> {
        let mut columns = Vec::new();
        for item in from {
            columns.extend(self.joined(item)?);
        }
        Some(columns)
    }

    fn joined(&self, item: &TableWithJoins) -> Option<Vec<Column>> {
        let mut left = self.relation(&item.relation)?;
        for join in &item.joins {
            let right = self.relation(&join.relation)?;
            let (kept, constraint) = column::kept(&join.join_operator)?;
            let keys = column::keys(constraint, &left, &right).unwrap_or_default();
            (_, left) = column::join(kept, &keys, left, right).ok()?;
        }
        Some(left)
    }

    /// The columns of one relation of a FROM clause.
    pub(super) fn relation(&self, relation: &TableFactor) -> Option<Vec<Column>> {
        match relation {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let names = self.table(name)?;
                Some(columns(&names, alias.as_ref(), &syntax::parts(name)))
            }
            TableFactor::Table { name, alias, .. } | TableFactor::Function { name, alias, .. } => {
                Some(columns(&series(name, alias.as_ref())?, alias.as_ref(), &[]))
            }
            TableFactor::Derived { subquery, alias, .. } => Some(columns(&self.query(subquery)?, alias.as_ref(), &[])),
            TableFactor::UNNEST { alias: Some(alias), .. } if !alias.columns.is_empty() => {
                Some(columns(&aliases(alias), Some(alias), &[]))
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => self.joined(table_with_joins),
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                let inside = self.joined(table_with_joins)?;
                let shown = inside.into_iter().filter(|column| column.shown);
                let names: Vec<String> = shown.map(|column| column.name).collect();
                Some(columns(&names, alias.as_ref(), &[]))
            }
            _ => None,
        }
    }

    fn table(&self, name: &ObjectName) -> Option<Vec<String>> {
        let parts = syntax::parts(name);
        // Files that the query names itself have names with the case of their keys.
        let parts: Vec<String> = match parts.get(1).is_some_and(|schema| schema.value == DIRECT_SCHEMA) {
            true => parts.into_iter().map(|part| part.value).collect(),
            false => parts.iter().map(syntax::lower).collect(),
        };
        if let [only] = parts.as_slice()
            && let Some((_, columns)) = self.ctes.iter().rev().find(|(name, _)| name == only)
        {
            return columns.clone();
        }
        self.tables.get(&self.session.resolve(&parts)?).cloned()
    }
}

fn is_star(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
}

fn columns(names: &[String], alias: Option<&TableAlias>, otherwise: &[Ident]) -> Vec<Column> {
    let relation = alias.map_or(otherwise.to_vec(), |alias| vec![alias.name.clone()]);
    let names = alias.map_or(names.to_vec(), |alias| aliased(names, alias));
    names.iter().map(|name| Column::of(&relation, name)).collect()
}

/// `AS t(a, b)` names the first two anew.
fn aliased(names: &[String], alias: &TableAlias) -> Vec<String> {
    let anew = aliases(alias);
    let rest = names.iter().skip(anew.len()).cloned();
    anew.iter().cloned().chain(rest).collect()
}

fn aliases(alias: &TableAlias) -> Vec<String> {
    alias.columns.iter().map(|column| syntax::lower(&column.name)).collect()
}

/// Table functions say in their alias what their columns are called, or are those with one column.
fn series(name: &ObjectName, alias: Option<&TableAlias>) -> Option<Vec<String>> {
    let named = alias.map(aliases).unwrap_or_default();
    let function = syntax::parts(name).first().map(syntax::lower);
    match function.as_deref() {
        _ if !named.is_empty() => Some(named),
        Some("generate_series" | "range") => Some(vec!["value".to_owned()]),
        _ => None,
    }
}

/// Of one entry of a SELECT list without an alias.
fn name(expr: &Expr, at: usize) -> Option<String> {
    match syntax::reference(expr) {
        Some(ident) => Some(syntax::lower(ident)),
        None if unnests(expr) => None,
        None => Some(format!("_col{at}")),
    }
}

/// The unnesting of a struct is as many columns as it has fields.
fn unnests(expr: &Expr) -> bool {
    match expr {
        Expr::Function(Function { name, .. }) => {
            let function = syntax::parts(name).first().map(syntax::lower);
            function.is_some_and(|function| function.starts_with("unnest"))
        }
        Expr::Nested(inner) => unnests(inner),
        _ => false,
    }
}
