//! `*` over merged columns, written out.

use super::column::Column;
use super::syntax;
use datafusion::sql::sqlparser::ast::{
    ExceptSelectItem, ExcludeSelectItem, Expr, Ident, ReplaceSelectItem, SelectItem, WildcardAdditionalOptions,
};

/// The names that a star with these options shows. `None`: with options that nobody reads here.
pub(super) fn names<'a>(
    columns: impl Iterator<Item = &'a Column>,
    options: &WildcardAdditionalOptions,
) -> Option<Vec<String>> {
    if options.opt_ilike.is_some() || options.opt_rename.is_some() || options.opt_alias.is_some() {
        return None;
    }
    let left_out = left_out(options);
    let shown = columns.filter(|column| !left_out.contains(&column.name));
    Some(shown.map(|column| column.name.clone()).collect())
}

/// The star as entries of its own.
pub(super) fn written_out(columns: &[Column], options: &WildcardAdditionalOptions) -> Vec<SelectItem> {
    let left_out = left_out(options);
    let shown = columns
        .iter()
        .filter(|column| column.shown && !left_out.contains(&column.name));
    let item = |column: &Column| SelectItem::ExprWithAlias {
        expr: replaced(options.opt_replace.as_ref(), &column.name).unwrap_or_else(|| column.value.clone()),
        alias: Ident::with_quote('"', &column.name),
    };
    shown.map(item).collect()
}

fn left_out(options: &WildcardAdditionalOptions) -> Vec<String> {
    let mut names = Vec::new();
    match &options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => names.extend(syntax::parts(name).last().map(syntax::lower)),
        Some(ExcludeSelectItem::Multiple(several)) => {
            names.extend(
                several
                    .iter()
                    .filter_map(|name| syntax::parts(name).last().map(syntax::lower)),
            );
        }
        None => {}
    }
    if let Some(ExceptSelectItem {
        first_element,
        additional_elements,
    }) = &options.opt_except
    {
        names.push(syntax::lower(first_element));
        names.extend(additional_elements.iter().map(syntax::lower));
    }
    names
}

fn replaced(replace: Option<&ReplaceSelectItem>, name: &str) -> Option<Expr> {
    let items = &replace?.items;
    let found = items.iter().find(|item| syntax::lower(&item.column_name) == name);
    found.map(|item| item.expr.clone())
}
