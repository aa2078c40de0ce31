//! `r.s.v` where both `r` and `s` are relations of the query: the field `v` of the column `r.s`, as in Trino. DataFusion takes it for the
//! column `v` of a relation `s` in a schema `r`.
//!
//! ```text
//! SELECT r.s.v FROM r, s   →   SELECT r.s['v'] FROM r, s
//! ```

use super::syntax::lower;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, Query, Select, Subscript, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

pub(super) fn write_out(query: &mut Query) {
    // Nothing breaks off.
    let _ = VisitMut::visit(query, &mut Selects);
}

struct Selects;

impl VisitorMut for Selects {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let relations: BTreeSet<String> = select.from.iter().flat_map(names).collect();
        VisitMut::visit(select, &mut Fields(relations))
    }
}

/// What the relations are called.
fn names(item: &TableWithJoins) -> Vec<String> {
    let joined = item.joins.iter().map(|join| &join.relation);
    std::iter::once(&item.relation).chain(joined).flat_map(named).collect()
}

fn named(relation: &TableFactor) -> Vec<String> {
    match relation {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. } => vec![lower(&alias.name)],
        TableFactor::Table { name, .. } => {
            let last = name.0.last().and_then(|part| part.as_ident());
            last.map(lower).into_iter().collect()
        }
        TableFactor::NestedJoin { table_with_joins, .. } => names(table_with_joins),
        _ => Vec::new(),
    }
}

struct Fields(BTreeSet<String>);

impl VisitorMut for Fields {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [relation, column, _, ..] = parts.as_slice()
            && [relation, column].iter().all(|part| self.0.contains(&lower(part)))
        {
            let fields = parts.split_off(2).iter().map(field).collect();
            let column = std::mem::take(parts);
            *expr = Expr::CompoundFieldAccess {
                root: Box::new(Expr::CompoundIdentifier(column)),
                access_chain: fields,
            };
        }
        ControlFlow::Continue(())
    }
}

fn field(name: &Ident) -> AccessExpr {
    AccessExpr::Subscript(Subscript::Index {
        index: Expr::value(Value::SingleQuotedString(name.value.clone())),
    })
}
