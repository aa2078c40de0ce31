//! What a planning error means where only the statement and the session's tables and functions tell: which table is missing and where,
//! which function was meant, what a call was given, and that double quotes name columns.

use crate::context::Context;
use crate::{Session, error};
use datafusion::common::DataFusionError;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, Spanned, Visit, Visitor,
    visit_relations,
};
use mayfly_catalog::{TableRef, nearest};
use mayfly_protocol::{ErrorCode, QueryError, SourceLocation};
use std::ops::ControlFlow;

/// The error as its user shall see it.
pub(crate) fn explain(
    context: &Context,
    statement: &DfStatement,
    session: &Session,
    cause: DataFusionError,
) -> QueryError {
    let text = cause.to_string();
    let missing = context.missing.iter().find(|(name, _)| is_about(&text, name));
    if let Some((name, why)) = missing {
        return why.clone().at(place(statement, session, name));
    }
    let error = error::from_datafusion(cause);
    match error.code {
        ErrorCode::FunctionNotFound => with_nearest_function(error, context),
        ErrorCode::ColumnNotFound => with_quotes(error, statement),
        ErrorCode::TypeMismatch => with_arguments(error, &text, statement),
        _ => error,
    }
}

/// DataFusion compares by edits, and takes `coutn` for `cot`.
fn with_nearest_function(error: QueryError, context: &Context) -> QueryError {
    let Some(name) = error.message.split('\'').nth(1).map(str::to_owned) else {
        return error;
    };
    let state = &context.state;
    let names = state
        .scalar_functions()
        .keys()
        .chain(state.aggregate_functions().keys());
    let names = names.chain(state.window_functions().keys()).map(String::as_str);
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    match nearest(&name, names) {
        Some(close) => error.hint(format!("did you mean '{close}'?")),
        None => QueryError { hint: None, ..error },
    }
}

/// `carrier = "UA"` means a column called ua.
fn with_quotes(error: QueryError, statement: &DfStatement) -> QueryError {
    let Some(at) = error.location else {
        return error;
    };
    let found = find(statement, |expr| match expr {
        Expr::Identifier(ident) if ident.quote_style == Some('"') => {
            (error::location(ident.span.start) == Some(at)).then(|| ident.value.clone())
        }
        _ => None,
    });
    match found {
        Some(text) => error.hint(format!(
            "double quotes name a column: a text stands in single quotes, '{text}'"
        )),
        None => error,
    }
}

/// Says which argument has which type.
fn with_arguments(error: QueryError, text: &str, statement: &DfStatement) -> QueryError {
    let Some((name, types)) = error::unfit_call(text) else {
        return error;
    };
    let call = find(statement, |expr| match expr {
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case(&name) => Some(function.clone()),
        _ => None,
    });
    let Some(call) = call else {
        return error;
    };
    let arguments = arguments(&call);
    if arguments.len() != types.len() {
        return error.at(error::location(call.name.span().start));
    }
    let pairs = arguments.iter().zip(&types);
    let is: Vec<String> = pairs
        .map(|(argument, found)| format!("{argument} is {found}"))
        .collect();
    let message = format!("{}; {}", error::wanted(&name), is.join(", "));
    QueryError { message, ..error }.at(error::location(call.name.span().start))
}

fn arguments(call: &Function) -> Vec<String> {
    let text = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.to_string()),
        _ => None,
    };
    match &call.args {
        FunctionArguments::List(list) => list.args.iter().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

/// The first that `pick` takes of the statement's expressions.
fn find<T>(statement: &DfStatement, pick: impl FnMut(&Expr) -> Option<T>) -> Option<T> {
    struct Search<F>(F);
    impl<T, F: FnMut(&Expr) -> Option<T>> Visitor for Search<F> {
        type Break = T;
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<T> {
            (self.0)(expr).map_or(ControlFlow::Continue(()), ControlFlow::Break)
        }
    }
    let DfStatement::Statement(statement) = statement else {
        return None;
    };
    match statement.visit(&mut Search(pick)) {
        ControlFlow::Break(found) => Some(found),
        ControlFlow::Continue(()) => None,
    }
}

/// `table 'lake.default.ordrs' not found`
fn is_about(text: &str, name: &TableRef) -> bool {
    text.contains(&format!("'{name}' not found"))
}

/// Where the statement first names the table.
fn place(statement: &DfStatement, session: &Session, wanted: &TableRef) -> Option<SourceLocation> {
    let DfStatement::Statement(statement) = statement else {
        return None;
    };
    let found = visit_relations(statement.as_ref(), |name: &ObjectName| {
        let parts: Vec<String> = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|ident| ident.value.to_lowercase())
            .collect();
        match session.resolve(&parts).as_ref() == Some(wanted) {
            true => ControlFlow::Break(error::location(name.span().start)),
            false => ControlFlow::Continue(()),
        }
    });
    match found {
        ControlFlow::Break(place) => place,
        ControlFlow::Continue(()) => None,
    }
}
