//! Relations of a FROM clause that may read those before them → those that DataFusion lets do so.
//!
//! ```text
//! t, generate_series(1, t.n) AS s(g)       →   t, UNNEST(generate_series(1, t.n)) AS s(g)
//! t FULL JOIN UNNEST(ARRAY[1, 2]) AS u(x)  →   t FULL JOIN (SELECT * FROM UNNEST(ARRAY[1, 2]) AS u(x)) AS u(x)
//! ```

use super::{syntax, template};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Join, JoinOperator, ObjectName, Query, TableAlias, TableAliasColumnDef,
    TableFactor, TableFunctionArgs, TableWithJoins, Visit, Visitor,
};
use std::ops::ControlFlow;

/// The column that a series has without an alias for it.
const SERIES_COLUMN: &str = "value";

/// A table function whose arguments are no constants, as the list that the function of that name makes.
pub(super) fn as_list(relation: &mut TableFactor) {
    let (name, arguments, alias) = match relation {
        TableFactor::Table {
            name,
            args: Some(TableFunctionArgs { args, .. }),
            alias,
            ..
        } => (name, args, alias),
        TableFactor::Function { name, args, alias, .. } => (name, args, alias),
        _ => return,
    };
    let Some(function) = series(name) else {
        return;
    };
    if !arguments.iter().any(reads) {
        return;
    }
    let Some(arguments) = arguments.iter().map(plain).collect::<Option<Vec<Expr>>>() else {
        return;
    };
    *relation = TableFactor::UNNEST {
        alias: Some(named(alias.take(), &function)),
        array_exprs: vec![syntax::call(&function, arguments)],
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    };
}

fn series(name: &ObjectName) -> Option<String> {
    let name = syntax::parts(name);
    let [name] = name.as_slice() else {
        return None;
    };
    Some(syntax::lower(name)).filter(|name| matches!(name.as_str(), "generate_series" | "range"))
}

fn named(alias: Option<TableAlias>, function: &str) -> TableAlias {
    let mut alias = alias.unwrap_or_else(|| syntax::named(function));
    if alias.columns.is_empty() {
        alias.columns.push(TableAliasColumnDef::from_name(SERIES_COLUMN));
    }
    alias
}

fn plain(argument: &FunctionArg) -> Option<Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    }
}

/// Whether a column, or a query, is in it.
fn reads(part: &impl Visit) -> bool {
    struct Search;
    impl Visitor for Search {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    part.visit(&mut Search).is_break()
}

/// Lists that read nothing may stand on the right of RIGHT and FULL JOIN.
pub(super) fn apart(item: &mut TableWithJoins) {
    for Join {
        relation,
        join_operator,
        ..
    } in &mut item.joins
    {
        let keeps_right = matches!(
            join_operator,
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
        );
        if keeps_right {
            as_query(relation);
        }
    }
}

fn as_query(relation: &mut TableFactor) {
    let TableFactor::UNNEST {
        alias: Some(alias),
        array_exprs,
        ..
    } = relation
    else {
        return;
    };
    if array_exprs.iter().any(reads) {
        return;
    }
    let alias = alias.clone();
    let Some(query) = template::over("SELECT * FROM t", relation.clone()) else {
        return;
    };
    *relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias: Some(alias),
        sample: None,
    };
}
