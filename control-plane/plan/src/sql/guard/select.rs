//! The clauses of one SELECT, its list and its joins.

use super::query::check_key;
use super::{refuse, refuse_some};
use crate::error;
use datafusion::sql::sqlparser::ast::{
    ConnectByKind, ExceptSelectItem, ExcludeSelectItem, Expr, GroupByExpr, GroupByWithModifier, IlikeSelectItem, Join,
    JoinConstraint, JoinOperator, LateralView, NamedWindowDefinition, NamedWindowExpr, RenameSelectItem,
    ReplaceSelectElement, ReplaceSelectItem, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind,
    Spanned, TableWithJoins, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use mayfly_protocol::QueryError;

pub(super) fn check(select: &Select) -> Result<(), QueryError> {
    let Select {
        select_token,
        // Hints are comments.
        optimizer_hints: _,
        distinct: _,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection: _,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having: _,
        named_window,
        qualify: _,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    let place = select_token.0.span;
    if projection.is_empty() && *flavor == SelectFlavor::Standard {
        return Err(error::syntax("SELECT names no column", place.start).hint("write SELECT *, or name columns"));
    }
    projection.iter().try_for_each(check_item)?;
    from.iter().try_for_each(check_joins)?;
    check_group(group_by, place)?;
    named_window.iter().try_for_each(check_window)?;
    check_flavor(flavor, select)?;
    refuse_some(select_modifiers.as_ref(), "a modifier of SELECT", |_| place, "")?;
    refuse_some(top.as_ref(), "TOP", |_| place, "use LIMIT")?;
    let at = |exclude: &ExcludeSelectItem| exclude.span();
    refuse_some(exclude.as_ref(), "EXCLUDE behind the list", at, "write * EXCLUDE (…)")?;
    refuse_some(
        into.as_ref(),
        "SELECT INTO",
        |into| into.name.span(),
        "tables are read only",
    )?;
    refuse_some(
        lateral_views.first(),
        "LATERAL VIEW",
        LateralView::span,
        "use CROSS JOIN UNNEST",
    )?;
    refuse_some(prewhere.as_ref(), "PREWHERE", Expr::span, "write WHERE")?;
    refuse_some(
        connect_by.first(),
        "CONNECT BY",
        ConnectByKind::span,
        "use WITH RECURSIVE",
    )?;
    refuse_some(cluster_by.first(), "CLUSTER BY", Expr::span, "")?;
    refuse_some(distribute_by.first(), "DISTRIBUTE BY", Expr::span, "")?;
    refuse_some(sort_by.first(), "SORT BY", Spanned::span, "use ORDER BY")?;
    refuse_some(value_table_mode.as_ref(), "SELECT AS STRUCT or VALUE", |_| place, "")
}

fn check_flavor(flavor: &SelectFlavor, select: &Select) -> Result<(), QueryError> {
    match flavor {
        SelectFlavor::Standard | SelectFlavor::FromFirst => Ok(()),
        SelectFlavor::FromFirstNoSelect => {
            let place = select.from.first().map_or(Span::empty(), Spanned::span);
            refuse("FROM without SELECT", place, "write SELECT * FROM …")
        }
    }
}

fn check_item(item: &SelectItem) -> Result<(), QueryError> {
    match item {
        SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { expr: _, alias: _ } => Ok(()),
        SelectItem::ExprWithAliases { expr: _, aliases: _ } => refuse("several aliases of one column", item.span(), ""),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(_), options)
        | SelectItem::Wildcard(options) => check_star(options),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
            refuse("* of an expression", expr.span(), "name the fields")
        }
    }
}

fn check_star(options: &WildcardAdditionalOptions) -> Result<(), QueryError> {
    let WildcardAdditionalOptions {
        wildcard_token,
        opt_ilike,
        opt_exclude: _,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let place = wildcard_token.0.span;
    if let Some(IlikeSelectItem { pattern: _ }) = opt_ilike {
        return refuse("* ILIKE", place, "name the columns");
    }
    if let Some(ExceptSelectItem {
        first_element: _,
        additional_elements: _,
    }) = opt_except
    {}
    if let Some(ReplaceSelectItem { items }) = opt_replace {
        for item in items {
            let ReplaceSelectElement {
                expr: _,
                column_name: _,
                as_keyword: _,
            } = item.as_ref();
        }
    }
    if let Some(RenameSelectItem::Single(_) | RenameSelectItem::Multiple(_)) = opt_rename {
        return refuse("* RENAME", place, "name the columns");
    }
    refuse_some(opt_alias.as_ref(), "an alias of *", |alias| alias.span, "")
}

fn check_group(group_by: &GroupByExpr, place: Span) -> Result<(), QueryError> {
    let (modifiers, place) = match group_by {
        GroupByExpr::All(modifiers) => (modifiers, place),
        GroupByExpr::Expressions(keys, modifiers) => (modifiers, keys.first().map_or(place, Spanned::span)),
    };
    match modifiers.first() {
        None => Ok(()),
        Some(GroupByWithModifier::Rollup) => refuse("GROUP BY … WITH ROLLUP", place, "write GROUP BY ROLLUP (…)"),
        Some(GroupByWithModifier::Cube) => refuse("GROUP BY … WITH CUBE", place, "write GROUP BY CUBE (…)"),
        Some(GroupByWithModifier::Totals) => refuse(
            "GROUP BY … WITH TOTALS",
            place,
            "write GROUP BY GROUPING SETS ((…), ())",
        ),
        Some(GroupByWithModifier::GroupingSets(_)) => refuse(
            "GROUP BY … GROUPING SETS behind keys",
            place,
            "write GROUP BY GROUPING SETS ((…), (…))",
        ),
    }
}

/// Windows themselves are looked at where functions use them.
fn check_window(window: &NamedWindowDefinition) -> Result<(), QueryError> {
    let NamedWindowDefinition(_, window) = window;
    match window {
        NamedWindowExpr::NamedWindow(_) => Ok(()),
        NamedWindowExpr::WindowSpec(window) => window.order_by.iter().try_for_each(check_key),
    }
}

pub(super) fn check_joins(item: &TableWithJoins) -> Result<(), QueryError> {
    // Relations are visited by themselves.
    let TableWithJoins { relation: _, joins } = item;
    for join in joins {
        let Join {
            relation,
            global,
            join_operator,
        } = join;
        let place = relation.span();
        if *global {
            return refuse("GLOBAL JOIN", place, "write JOIN");
        }
        check_operator(join_operator, place)?;
    }
    Ok(())
}

/// DataFusion reads it as a cross join, also where a word that it does not know is taken for an alias: `a POSITIONAL JOIN b`.
fn without_condition(place: Span) -> QueryError {
    error::syntax("this JOIN has no condition", place.start).hint("add ON … or USING (…), or write CROSS JOIN")
}

fn check_operator(operator: &JoinOperator, place: Span) -> Result<(), QueryError> {
    use JoinOperator as Op;
    match operator {
        Op::Join(constraint)
        | Op::Inner(constraint)
        | Op::Left(constraint)
        | Op::LeftOuter(constraint)
        | Op::Right(constraint)
        | Op::RightOuter(constraint)
        | Op::FullOuter(constraint)
        | Op::Semi(constraint)
        | Op::LeftSemi(constraint)
        | Op::RightSemi(constraint)
        | Op::Anti(constraint)
        | Op::LeftAnti(constraint)
        | Op::RightAnti(constraint) => match constraint {
            JoinConstraint::On(_) | JoinConstraint::Using(_) | JoinConstraint::Natural => Ok(()),
            JoinConstraint::None => Err(without_condition(place)),
        },
        Op::CrossJoin(JoinConstraint::None) => Ok(()),
        Op::CrossJoin(_) => refuse("CROSS JOIN with a condition", place, "write JOIN … ON"),
        Op::CrossApply | Op::OuterApply => refuse("APPLY", place, "write JOIN LATERAL"),
        Op::AsOf {
            match_condition: _,
            constraint: _,
        } => refuse("ASOF JOIN", place, ""),
        Op::StraightJoin(_) => refuse("STRAIGHT_JOIN", place, "write JOIN"),
        Op::ArrayJoin | Op::LeftArrayJoin | Op::InnerArrayJoin => refuse("ARRAY JOIN", place, "use CROSS JOIN UNNEST"),
    }
}
