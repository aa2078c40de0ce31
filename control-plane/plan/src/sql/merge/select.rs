//! A SELECT over merged columns: its list, its clauses and its order.

use super::column::Column;
use super::scope::Scope;
use super::star;
use super::substitute::Named;
use super::syntax;
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, OrderBy, OrderByKind, Query, Select, SelectFlavor, SelectItem, SetExpr, TableWithJoins,
    WildcardAdditionalOptions,
};

pub(super) fn rewrite(select: &mut Select, order_by: Option<&mut OrderBy>, columns: &[Column], scope: &Scope<'_>) {
    let merged = Named::merged(columns);
    let items = std::mem::take(&mut select.projection).into_iter();
    select.projection = items
        .flat_map(|item| rewrite_item(item, &merged, columns, scope))
        .collect();
    if merged.is_empty() {
        return;
    }
    merged.substitute(scope, &mut select.distinct);
    merged.substitute(scope, &mut select.selection);
    merged.substitute(scope, &mut select.group_by);
    merged.substitute(scope, &mut select.having);
    merged.substitute(scope, &mut select.named_window);
    merged.substitute(scope, &mut select.qualify);
    if let Some(OrderBy {
        kind: OrderByKind::Expressions(keys),
        ..
    }) = order_by
    {
        for key in keys {
            if !is_alias(&key.expr, &merged, &select.projection) {
                merged.substitute(scope, &mut key.expr);
            }
        }
    }
}

/// A merged column keeps its name.
fn rewrite_item(mut item: SelectItem, merged: &Named, columns: &[Column], scope: &Scope<'_>) -> Vec<SelectItem> {
    if let SelectItem::UnnamedExpr(expr) = &item
        && let (Some(value), Some(alias)) = (merged.value(expr), syntax::reference(expr))
    {
        return vec![SelectItem::ExprWithAlias {
            expr: value.clone(),
            alias: alias.clone(),
        }];
    }
    merged.substitute(scope, &mut item);
    match item {
        SelectItem::Wildcard(options) if columns.iter().any(|column| column.shown && column.merged) => {
            star::written_out(columns, &options)
        }
        item => vec![item],
    }
}

/// Whether a sort key is the name of an entry of the list: one that is computed, or something else than the merged column.
fn is_alias(key: &Expr, merged: &Named, projection: &[SelectItem]) -> bool {
    let (Some(value), Some(name)) = (merged.value(key), syntax::reference(key)) else {
        return false;
    };
    let name = syntax::lower(name);
    let named = projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if syntax::lower(alias) == name => Some(expr),
        _ => None,
    });
    named.is_some_and(|expr| expr != value || syntax::reference(expr).is_none())
}

/// `SELECT * FROM …`
pub(super) fn all_of(from: TableWithJoins) -> Query {
    let select = Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
        exclude: None,
        into: None,
        from: vec![from],
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    };
    Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}
