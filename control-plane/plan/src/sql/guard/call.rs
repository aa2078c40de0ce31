//! A call of a function: what stands around its arguments. Whether a function takes such a clause is judged once it is known which
//! function it is: see `clauses`.

use super::query::check_key;
use super::refuse;
use datafusion::sql::sqlparser::ast::{
    Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Spanned,
    WindowFrame, WindowSpec, WindowType,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use mayfly_protocol::QueryError;

pub(super) fn check(function: &Function) -> Result<(), QueryError> {
    let Function {
        name,
        uses_odbc_syntax: _,
        parameters,
        args,
        filter: _,
        null_treatment: _,
        over,
        within_group,
    } = function;
    let place = name.span();
    if *parameters != FunctionArguments::None {
        return refuse("a second list of arguments", place, "");
    }
    match args {
        FunctionArguments::None => {}
        FunctionArguments::Subquery(_) => {
            return refuse(
                "a query as the arguments of a function",
                place,
                "put it into parentheses of its own",
            );
        }
        FunctionArguments::List(list) => check_list(list, place)?,
    }
    over.as_ref().map_or(Ok(()), check_over)?;
    within_group.iter().try_for_each(check_key)
}

fn check_list(list: &FunctionArgumentList, place: Span) -> Result<(), QueryError> {
    let FunctionArgumentList {
        duplicate_treatment: _,
        args,
        clauses,
    } = list;
    args.iter().try_for_each(check_argument)?;
    for clause in clauses {
        match clause {
            FunctionArgumentClause::IgnoreOrRespectNulls(_) => {}
            FunctionArgumentClause::OrderBy(keys) => keys.iter().try_for_each(check_key)?,
            FunctionArgumentClause::Limit(limit) => {
                return refuse("LIMIT within a function", limit.span(), "use array_slice of the whole");
            }
            FunctionArgumentClause::OnOverflow(_) => {
                return refuse("ON OVERFLOW", place, "texts may be as long as they get");
            }
            FunctionArgumentClause::Having(_) => {
                return refuse("HAVING within a function", place, "use FILTER (WHERE …)");
            }
            FunctionArgumentClause::Separator(_) => {
                return refuse("SEPARATOR", place, "the second argument separates");
            }
            FunctionArgumentClause::JsonNullClause(_) | FunctionArgumentClause::JsonReturningClause(_) => {
                return refuse("a clause of a JSON function", place, "");
            }
        }
    }
    Ok(())
}

fn check_argument(argument: &FunctionArg) -> Result<(), QueryError> {
    let value = match argument {
        FunctionArg::Named {
            name: _,
            arg,
            operator: _,
        } => arg,
        FunctionArg::ExprNamed {
            name,
            arg: _,
            operator: _,
        } => return refuse("an argument named by an expression", name.span(), "name it by a word"),
        FunctionArg::Unnamed(arg) => arg,
    };
    match value {
        FunctionArgExpr::Expr(_) | FunctionArgExpr::Wildcard => Ok(()),
        FunctionArgExpr::QualifiedWildcard(name) => {
            refuse("* of one relation as an argument", name.span(), "name a column")
        }
        FunctionArgExpr::WildcardWithOptions(options) => refuse(
            "a part of * as an argument",
            options.wildcard_token.0.span,
            "name a column",
        ),
    }
}

fn check_over(over: &WindowType) -> Result<(), QueryError> {
    match over {
        // Named windows are looked up before anything is planned.
        WindowType::NamedWindow(_) => Ok(()),
        WindowType::WindowSpec(window) => check_window(window),
    }
}

fn check_window(window: &WindowSpec) -> Result<(), QueryError> {
    let WindowSpec {
        window_name: _,
        partition_by: _,
        order_by,
        window_frame,
    } = window;
    if let Some(WindowFrame {
        units: _,
        start_bound: _,
        end_bound: _,
    }) = window_frame
    {}
    order_by.iter().try_for_each(check_key)
}
