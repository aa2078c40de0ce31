//! What stands around a SELECT: WITH, set operations, ORDER BY, LIMIT, FETCH, and what other systems put behind them.

use super::{refuse, refuse_some};
use datafusion::sql::sqlparser::ast::{
    Cte, Fetch, Ident, LimitClause, Offset, OrderBy, OrderByExpr, OrderByKind, Query, SetExpr, SetOperator,
    SetQuantifier, Spanned, TableAlias, TableAliasColumnDef, Values, With,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use mayfly_protocol::QueryError;

pub(super) fn check(query: &Query) -> Result<(), QueryError> {
    let Query {
        with,
        body,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    let place = query.span();
    with.as_ref().map_or(Ok(()), check_with)?;
    check_body(body)?;
    order_by
        .as_ref()
        .map_or(Ok(()), |order_by| check_order(order_by, body))?;
    limit_clause.as_ref().map_or(Ok(()), check_limit)?;
    fetch.as_ref().map_or(Ok(()), |fetch| check_fetch(fetch, query))?;
    refuse_some(
        locks.first(),
        "FOR UPDATE or FOR SHARE",
        |_| place,
        "tables are read only",
    )?;
    refuse_some(for_clause.as_ref(), "FOR XML, JSON or BROWSE", |_| place, "")?;
    let at_setting = |settings: &Vec<_>| settings.first().map_or(place, setting_place);
    refuse_some(
        settings.as_ref(),
        "SETTINGS",
        at_setting,
        "session properties are set with SET SESSION",
    )?;
    refuse_some(format_clause.as_ref(), "FORMAT", |_| place, "")?;
    refuse_some(
        pipe_operators.first(),
        "the operator |>",
        |_| place,
        "write a query around the query",
    )
}

fn setting_place(setting: &datafusion::sql::sqlparser::ast::Setting) -> Span {
    setting.key.span
}

fn check_with(with: &With) -> Result<(), QueryError> {
    let With {
        with_token: _,
        recursive,
        cte_tables,
    } = with;
    for cte in cte_tables {
        let Cte {
            alias,
            query,
            from,
            // Whether it is kept is for the planner to say.
            materialized: _,
            closing_paren_token: _,
        } = cte;
        check_alias(alias)?;
        refuse_some(
            from.as_ref(),
            "FROM behind a common table expression",
            |from: &Ident| from.span,
            "",
        )?;
        if *recursive {
            check_recursive(query, alias)?;
        }
    }
    Ok(())
}

/// Of a recursive query only the two sides of its UNION are planned.
fn check_recursive(query: &Query, alias: &TableAlias) -> Result<(), QueryError> {
    let is_union = matches!(
        query.body.as_ref(),
        SetExpr::SetOperation {
            op: SetOperator::Union,
            ..
        }
    );
    let bare =
        query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    match is_union && !bare {
        true => refuse(
            "WITH, ORDER BY or LIMIT around the UNION of a recursive query",
            alias.name.span,
            "put it into the query that reads the recursive one",
        ),
        false => Ok(()),
    }
}

pub(super) fn check_alias(alias: &TableAlias) -> Result<(), QueryError> {
    let TableAlias {
        explicit: _,
        name: _,
        columns,
        at,
    } = alias;
    for column in columns {
        let TableAliasColumnDef { name, data_type } = column;
        refuse_some(
            data_type.as_ref(),
            "a type in a column alias",
            |_| name.span,
            "use CAST",
        )?;
    }
    refuse_some(at.as_ref(), "AT in an alias", |at: &Ident| at.span, "")
}

fn check_body(body: &SetExpr) -> Result<(), QueryError> {
    match body {
        // These are visited by themselves.
        SetExpr::Select(_) | SetExpr::Query(_) => Ok(()),
        SetExpr::SetOperation {
            left,
            op,
            set_quantifier,
            right,
        } => {
            check_operation(*op, *set_quantifier, right.span())?;
            check_body(left)?;
            check_body(right)
        }
        SetExpr::Values(Values {
            explicit_row: _,
            value_keyword,
            rows: _,
        }) => match value_keyword {
            true => refuse("VALUE", body.span(), "write VALUES"),
            false => Ok(()),
        },
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => refuse(
            "INSERT, UPDATE, DELETE or MERGE in a query",
            body.span(),
            "tables are read only",
        ),
        SetExpr::Table(_) => refuse("TABLE as a query", body.span(), "write SELECT * FROM it"),
    }
}

fn check_operation(op: SetOperator, quantifier: SetQuantifier, place: Span) -> Result<(), QueryError> {
    let by_name = match quantifier {
        SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None => false,
        SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName => true,
    };
    match op {
        SetOperator::Union => Ok(()),
        SetOperator::Intersect | SetOperator::Except if by_name => {
            refuse(&format!("{op} BY NAME"), place, "name the columns in one order")
        }
        SetOperator::Intersect | SetOperator::Except => Ok(()),
        SetOperator::Minus => refuse("MINUS", place, "write EXCEPT"),
    }
}

fn check_order(order_by: &OrderBy, body: &SetExpr) -> Result<(), QueryError> {
    let OrderBy { kind, interpolate } = order_by;
    let place = order_by.span();
    refuse_some(interpolate.as_ref(), "INTERPOLATE", |_| place, "")?;
    match kind {
        OrderByKind::All(_) if !matches!(body, SetExpr::Select(_)) => {
            refuse("ORDER BY ALL of a set operation", body.span(), "name the columns")
        }
        OrderByKind::All(_) => Ok(()),
        OrderByKind::Expressions(keys) => keys.iter().try_for_each(check_key),
    }
}

pub(super) fn check_key(key: &OrderByExpr) -> Result<(), QueryError> {
    let OrderByExpr {
        expr: _,
        options: _,
        with_fill,
    } = key;
    refuse_some(with_fill.as_ref(), "WITH FILL", |_| key.span(), "")
}

fn check_limit(limit: &LimitClause) -> Result<(), QueryError> {
    match limit {
        LimitClause::LimitOffset {
            limit: _,
            offset,
            limit_by,
        } => {
            if let Some(Offset { value: _, rows: _ }) = offset {}
            refuse_some(
                limit_by.first(),
                "LIMIT … BY",
                Spanned::span,
                "filter on row_number() OVER (PARTITION BY …)",
            )
        }
        LimitClause::OffsetCommaLimit { offset: _, limit: _ } => Ok(()),
    }
}

fn check_fetch(fetch: &Fetch, query: &Query) -> Result<(), QueryError> {
    let Fetch {
        with_ties,
        percent,
        quantity,
    } = fetch;
    let place = quantity.as_ref().map_or(query.span(), Spanned::span);
    if *with_ties {
        return refuse("FETCH … WITH TIES", place, "filter on rank() OVER (ORDER BY …)");
    }
    if *percent {
        return refuse("FETCH … PERCENT", place, "give a number of rows");
    }
    let has_limit = matches!(
        &query.limit_clause,
        Some(LimitClause::LimitOffset { limit: Some(_), .. } | LimitClause::OffsetCommaLimit { .. })
    );
    match has_limit {
        true => refuse("FETCH beside LIMIT", place, "write one of them"),
        false => Ok(()),
    }
}
