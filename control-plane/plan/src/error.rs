//! DataFusion's errors → the errors that users of Trino's clients know: code, message shape, place, nearest name.
//!
//! The one file that reads messages: DataFusion types few of its planning errors. Nothing decides on the outcome but what the user sees.

use crate::{sql, types};
use arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, Diagnostic, SchemaError, Span};
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, TokenWithSpan};
use mayfly_catalog::nearest;
use mayfly_fragment::FragmentError;
use mayfly_protocol::{ErrorCode, QueryError, SourceLocation};

/// A place in the text; DataFusion's and sqlparser's line 0 means that it is not known.
pub(crate) fn location(at: Location) -> Option<SourceLocation> {
    let line = u32::try_from(at.line).ok().filter(|line| *line > 0)?;
    let column = u32::try_from(at.column).ok()?;
    Some(SourceLocation { line, column })
}

pub(crate) fn syntax(message: impl Into<String>, at: Location) -> QueryError {
    QueryError::new(ErrorCode::SyntaxError, message).at(location(at))
}

pub(crate) fn internal(message: impl Into<String>) -> QueryError {
    QueryError::new(ErrorCode::GenericInternalError, message)
}

pub(crate) fn not_supported(message: impl Into<String>) -> QueryError {
    QueryError::new(ErrorCode::NotSupported, message)
}

/// A parser's error without a place came at the end of the text.
pub(crate) fn at_end(error: QueryError, tokens: &[TokenWithSpan]) -> QueryError {
    let end = tokens.last().and_then(|token| location(token.span.end));
    let place = error.location.or(end);
    error.at(place)
}

/// What the user sees of a planning error.
pub(crate) fn from_datafusion(cause: DataFusionError) -> QueryError {
    match cause {
        DataFusionError::Diagnostic(diagnostic, inner) => {
            let error = from_datafusion(*inner);
            let place = error.location.or(place(&diagnostic));
            error.at(place)
        }
        DataFusionError::Context(_, inner) => from_datafusion(*inner),
        DataFusionError::Shared(inner) => from_shared(&inner),
        DataFusionError::Collection(errors) => from_first(errors),
        DataFusionError::External(inner) => from_external(inner.as_ref()),
        DataFusionError::SQL(cause, _) => from_parser(&cause),
        DataFusionError::SchemaError(cause, _) => from_schema(&cause),
        DataFusionError::ArrowError(cause, _) => from_arrow(&cause),
        DataFusionError::NotImplemented(message) => not_supported(first_line(&message)),
        DataFusionError::Plan(message) => from_plan(&message),
        DataFusionError::Execution(message) => QueryError::new(ErrorCode::GenericUserError, first_line(&message)),
        DataFusionError::Configuration(message) => QueryError::new(ErrorCode::InvalidSessionProperty, message),
        DataFusionError::ResourcesExhausted(message) => QueryError::new(ErrorCode::ExceededLocalMemoryLimit, message),
        other => internal(first_line(&other.strip_backtrace())),
    }
}

/// Errors of ours that travelled through DataFusion.
fn from_external(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> QueryError {
    if let Some(error) = cause.downcast_ref::<QueryError>() {
        return error.clone();
    }
    match cause.downcast_ref::<FragmentError>() {
        Some(FragmentError::Encode(_)) => not_supported("the query has an operator that cannot be sent to executors"),
        Some(error @ FragmentError::NotAllowed { .. }) => not_supported(error.to_string()),
        Some(error @ (FragmentError::TooDeep | FragmentError::TooLarge { .. } | FragmentError::Message(_))) => {
            QueryError::new(ErrorCode::TooComplex, format!("the query is too complex: {error}"))
        }
        _ => internal(cause.to_string()),
    }
}

fn from_first(errors: Vec<DataFusionError>) -> QueryError {
    let first = errors.into_iter().next().map(from_datafusion);
    first.unwrap_or_else(|| internal("planning failed without a reason"))
}

/// A shared error cannot be taken apart; its kind and message can still be read.
fn from_shared(cause: &DataFusionError) -> QueryError {
    match cause {
        DataFusionError::Shared(inner) => from_shared(inner),
        DataFusionError::Context(_, inner) => from_shared(inner),
        DataFusionError::SchemaError(cause, _) => from_schema(cause),
        DataFusionError::ArrowError(cause, _) => from_arrow(cause),
        DataFusionError::Plan(message) => from_plan(message),
        DataFusionError::NotImplemented(message) => not_supported(first_line(message)),
        DataFusionError::External(inner) => from_external(inner.as_ref()),
        DataFusionError::Execution(message) => QueryError::new(ErrorCode::GenericUserError, first_line(message)),
        other => internal(first_line(&other.strip_backtrace())),
    }
}

fn place(diagnostic: &Diagnostic) -> Option<SourceLocation> {
    let span: Span = diagnostic.span?;
    let line = u32::try_from(span.start.line).ok().filter(|line| *line > 0)?;
    let column = u32::try_from(span.start.column).ok()?;
    Some(SourceLocation { line, column })
}

/// `Expected: x, found: y at Line: 1, Column: 8` → `mismatched input 'y'. Expecting: x`, at its place.
pub(crate) fn from_parser(cause: &ParserError) -> QueryError {
    let text = match cause {
        ParserError::RecursionLimitExceeded => {
            return QueryError::new(ErrorCode::TooComplex, "the query is too complex: nested too deeply");
        }
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
    };
    let (message, place) = split_place(text);
    let message = match message
        .strip_prefix("Expected: ")
        .and_then(|rest| rest.split_once(", found: "))
    {
        Some((expected, "EOF")) => format!("mismatched input '<EOF>'. Expecting: {expected}"),
        Some((expected, found)) => format!("mismatched input '{found}'. Expecting: {expected}"),
        None => message.to_owned(),
    };
    QueryError::new(ErrorCode::SyntaxError, message).at(place)
}

fn split_place(text: &str) -> (&str, Option<SourceLocation>) {
    let parse = || {
        let (message, place) = text.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let digits = |text: &str| text.trim().parse::<u64>().ok();
        let at = location(Location {
            line: digits(line)?,
            column: digits(column)?,
        });
        Some((message, at))
    };
    parse().unwrap_or((text, None))
}

fn from_schema(cause: &SchemaError) -> QueryError {
    match cause {
        SchemaError::FieldNotFound { field, valid_fields } => no_column(field, valid_fields),
        SchemaError::AmbiguousReference { field } => QueryError::new(
            ErrorCode::AmbiguousName,
            format!("Column '{}' is ambiguous", field.name),
        ),
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            QueryError::new(
                ErrorCode::AmbiguousName,
                format!("Column name '{name}' specified more than once"),
            )
        }
    }
}

/// Named as written: `t.x` when the query says so.
fn no_column(field: &Column, valid: &[Column]) -> QueryError {
    let spelled = match &field.relation {
        Some(relation) => format!("{}.{}", relation.table(), field.name),
        None => field.name.clone(),
    };
    let is_namesake = |column: &Column| column.name != field.name && sql::written(&column.name) == field.name;
    if valid.iter().any(is_namesake) {
        return QueryError::new(ErrorCode::AmbiguousName, format!("Column '{spelled}' is ambiguous"));
    }
    let message = format!("Column '{spelled}' cannot be resolved");
    let error = QueryError::new(ErrorCode::ColumnNotFound, message);
    match nearest(&field.name, valid.iter().map(|column| column.name.as_str())) {
        Some(close) => error.hint(format!("did you mean '{close}'?")),
        None => error,
    }
}

fn from_arrow(cause: &ArrowError) -> QueryError {
    let code = match cause {
        ArrowError::DivideByZero => ErrorCode::DivisionByZero,
        ArrowError::CastError(_) | ArrowError::ParseError(_) => ErrorCode::InvalidCastArgument,
        ArrowError::ArithmeticOverflow(_) => ErrorCode::NumericValueOutOfRange,
        ArrowError::InvalidArgumentError(_) | ArrowError::ComputeError(_) => ErrorCode::InvalidFunctionArgument,
        ArrowError::NotYetImplemented(_) => ErrorCode::NotSupported,
        _ => ErrorCode::GenericInternalError,
    };
    QueryError::new(code, cause.to_string())
}

/// What DataFusion's untyped planning errors mean, by what their texts contain. The first that fits counts.
const PLAN_CODES: [(&str, ErrorCode); 20] = [
    ("table function", ErrorCode::FunctionNotFound),
    ("Invalid function", ErrorCode::FunctionNotFound),
    ("GROUP BY", ErrorCode::MissingGroupBy),
    ("must appear in the GROUP BY clause", ErrorCode::MissingGroupBy),
    ("Cannot coerce", ErrorCode::TypeMismatch),
    ("Cannot infer common", ErrorCode::TypeMismatch),
    ("Failed to coerce", ErrorCode::TypeMismatch),
    ("coercion from", ErrorCode::TypeMismatch),
    ("No function matches", ErrorCode::TypeMismatch),
    ("does not support zero arguments", ErrorCode::InvalidFunctionArgument),
    ("does not support", ErrorCode::TypeMismatch),
    ("No field named", ErrorCode::ColumnNotFound),
    ("expects", ErrorCode::InvalidFunctionArgument),
    ("requires", ErrorCode::InvalidFunctionArgument),
    ("Unsupported", ErrorCode::NotSupported),
    ("not supported", ErrorCode::NotSupported),
    ("not implemented", ErrorCode::NotSupported),
    ("not allowed", ErrorCode::NotSupported),
    ("must be boolean", ErrorCode::TypeMismatch),
    ("of type", ErrorCode::TypeMismatch),
];

fn from_plan(message: &str) -> QueryError {
    if let Some(error) = no_function(message) {
        return error;
    }
    if let Some((name, types)) = unfit_call(message) {
        let message = format!("{}, not {}", wanted(&name), types.join(", "));
        return QueryError::new(ErrorCode::TypeMismatch, message);
    }
    let found = PLAN_CODES.iter().find(|(text, _)| message.contains(text));
    let code = found.map_or(ErrorCode::GenericUserError, |(_, code)| *code);
    QueryError::new(code, first_line(message))
}

/// `Invalid function 'lenght'.\nDid you mean 'length'?`
fn no_function(message: &str) -> Option<QueryError> {
    let (name, rest) = message.strip_prefix("Invalid function '")?.split_once('\'')?;
    let error = QueryError::new(ErrorCode::FunctionNotFound, format!("Function '{name}' not registered"));
    let close = rest
        .split_once("Did you mean '")
        .and_then(|(_, rest)| rest.split_once('\''));
    Some(match close {
        Some((close, _)) => error.hint(format!("did you mean '{close}'?")),
        None => error,
    })
}

/// A call that does not fit its function: which, and of what types its arguments are.
pub(crate) fn unfit_call(message: &str) -> Option<(String, Vec<String>)> {
    let (name, types) = match message.split_once("to satisfy a call to '") {
        Some((_, rest)) => {
            let (name, rest) = rest.split_once("' function: coercion from ")?;
            (name, rest.split_once(" to the signature")?.0)
        }
        None => {
            let (_, rest) = message.split_once("No function matches the given name and argument types '")?;
            rest.split_once("'")?.0.strip_suffix(')')?.split_once('(')?
        }
    };
    let named = |text: &str| text.parse().map_or(text.to_owned(), |found| types::type_name(&found));
    Some((name.to_lowercase(), types.split(", ").map(named).collect()))
}

/// Functions that take numbers and nothing else.
const OF_NUMBERS: [&str; 20] = [
    "abs",
    "avg",
    "ceil",
    "corr",
    "covar_pop",
    "covar_samp",
    "exp",
    "floor",
    "ln",
    "log",
    "mean",
    "power",
    "round",
    "sqrt",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
    "var_samp",
];

/// What a function takes, as far as it can be said in a word.
pub(crate) fn wanted(name: &str) -> String {
    match OF_NUMBERS.contains(&name) {
        true => format!("{name} takes numbers"),
        false => format!("{name} does not take such arguments"),
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}
