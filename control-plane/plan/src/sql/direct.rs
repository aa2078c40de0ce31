//! `FROM 's3://…'` and `FROM read_csv('s3://…', header => false)`: files that a query names itself. Each becomes the name of a table of
//! one planning; what the files hold is looked up later.

use super::format;
use super::parse::{not_supported, parse};
use super::statement::Statement;
use crate::error;
use crate::planner::STACK_BYTES;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, Spanned, TableAlias,
    TableFactor, Value, VisitMut, VisitorMut,
};
use mayfly_catalog::{DirectFiles, nearest};
use mayfly_protocol::{CsvFormat, ErrorCode, FileFormat, JsonFormat, QueryError, SourceLocation};
use std::ops::ControlFlow;

/// Files, and where in the text they are named.
#[derive(Clone, Debug)]
pub(crate) struct NamedFiles {
    pub files: DirectFiles,
    pub at: Option<SourceLocation>,
}

/// The functions that read files, and what they read.
const READERS: [(&str, fn() -> FileFormat); 8] = [
    ("read_parquet", || FileFormat::Parquet),
    ("parquet_scan", || FileFormat::Parquet),
    ("read_csv", || FileFormat::Csv(CsvFormat::default())),
    ("read_csv_auto", || FileFormat::Csv(CsvFormat::default())),
    ("read_json", || FileFormat::Json(JsonFormat::default())),
    ("read_json_auto", || FileFormat::Json(JsonFormat::default())),
    ("read_ndjson", || FileFormat::Json(JsonFormat::default())),
    ("read_ndjson_auto", || FileFormat::Json(JsonFormat::default())),
];

/// DuckDB's names of options, and ours.
const OPTIONS: [(&str, &str); 11] = [
    ("header", "has_header"),
    ("delim", "delimiter"),
    ("sep", "delimiter"),
    ("delimiter", "delimiter"),
    ("quote", "quote"),
    ("escape", "escape"),
    ("comment", "comment"),
    ("compression", "compression"),
    ("nullstr", "null_value"),
    ("null_value", "null_value"),
    ("newlines_in_values", "newlines_in_values"),
];

const HIVE: &str = "hive_partitioning";

/// Whether a table factor of that name reads files when it is called.
pub(super) fn is_reader(name: &str) -> bool {
    reader(name).is_some()
}

fn reader(name: &str) -> Option<FileFormat> {
    let found = READERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, format)| format())
}

/// The places that the statement names itself, as written. A statement that cannot be read names none.
pub fn named_places(sql: &str) -> Vec<String> {
    let read = || match parse(sql) {
        Ok(Statement::Query(query) | Statement::Describe(query)) => query.files,
        Ok(Statement::Explain { query, .. } | Statement::Summarize { source: query, .. }) => query.files,
        _ => Vec::new(),
    };
    // The depth of a statement is its user's.
    let files = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let read = thread
            .spawn_scoped(scope, read)
            .map(std::thread::ScopedJoinHandle::join);
        read.ok().and_then(Result::ok).unwrap_or_default()
    });
    files.into_iter().flat_map(|named| named.files.places).collect()
}

/// Replaces all of them in the statement.
pub(super) fn replace(statement: &mut DfStatement) -> Result<Vec<NamedFiles>, QueryError> {
    let DfStatement::Statement(statement) = statement else {
        return Ok(Vec::new());
    };
    let mut found = Found(Vec::new());
    match VisitMut::visit(statement.as_mut(), &mut found) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(found.0),
    }
}

struct Found(Vec<NamedFiles>);

impl VisitorMut for Found {
    type Break = QueryError;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<QueryError> {
        match self.take(factor) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Found {
    fn take(&mut self, factor: &mut TableFactor) -> Result<(), QueryError> {
        let TableFactor::Table { name, args, alias, .. } = factor else {
            return Ok(());
        };
        let Some(ident) = single(name) else { return Ok(()) };
        let at = error::location(name.span().start);
        let (files, called) = match args {
            None if ident.quote_style == Some('\'') => (of_text(&ident.value), called(&ident.value)),
            Some(args) if is_reader(&ident.value) => {
                let text = format!("{name}({})", joined(&args.args));
                let files = of_call(&ident.value, &args.args, text).map_err(|cause| cause.at(at))?;
                (files, Some(ident.value.to_lowercase()))
            }
            _ => return Ok(()),
        };
        if alias.is_none() {
            *alias = called.map(|called| alias_of(&called));
        }
        *args = None;
        let parts = files.name();
        *name = ObjectName([parts.catalog, parts.schema, parts.table].map(part).into());
        self.0.push(NamedFiles { files, at });
        Ok(())
    }
}

fn single(name: &ObjectName) -> Option<Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident().cloned(),
        _ => None,
    }
}

fn part(text: String) -> ObjectNamePart {
    ObjectNamePart::Identifier(Ident::with_quote('"', text))
}

fn alias_of(name: &str) -> TableAlias {
    TableAlias {
        explicit: true,
        name: Ident::with_quote('"', name),
        columns: Vec::new(),
        at: None,
    }
}

/// A file is called by its name up to the first dot, a folder by its own; a pattern is called nothing.
fn called(place: &str) -> Option<String> {
    let last = place.trim_end_matches('/').rsplit('/').next()?;
    let is_pattern = place.contains(['*', '?', '[', '{']);
    let stem = last.split_once('.').map_or(last, |(stem, _)| stem);
    (!is_pattern && !stem.is_empty()).then(|| stem.to_lowercase())
}

fn of_text(place: &str) -> DirectFiles {
    DirectFiles {
        text: place.to_owned(),
        places: vec![place.to_owned()],
        format: None,
        hive: None,
    }
}

fn joined(args: &[FunctionArg]) -> String {
    let texts: Vec<String> = args.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// The call's first argument names the files; the others are named options.
fn of_call(function: &str, args: &[FunctionArg], text: String) -> Result<DirectFiles, QueryError> {
    let wrong = |why: &str| QueryError::new(ErrorCode::InvalidArguments, format!("{function}: {why}"));
    let (first, options) = args.split_first().ok_or_else(|| wrong("names no files"))?;
    let places = match first {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => places(expr),
        _ => None,
    };
    let format = reader(function).unwrap_or_default();
    let mut files = DirectFiles {
        text,
        places: places.ok_or_else(|| wrong("its first argument is 's3://…' or a list of such texts"))?,
        format: Some(format),
        hive: None,
    };
    for option in options {
        let (key, value) = named(option).ok_or_else(|| wrong("options follow as name => value"))?;
        set(&mut files, function, &key.to_lowercase(), &value)?;
    }
    Ok(files)
}

fn places(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Array(list) => list.elem.iter().map(text).collect(),
        other => text(other).map(|place| vec![place]),
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// `name => value`, `name := value`, or `name = value`, which reads as a comparison.
fn named(arg: &FunctionArg) -> Option<(String, String)> {
    match arg {
        FunctionArg::Named {
            name,
            arg: FunctionArgExpr::Expr(expr),
            ..
        } => Some((name.value.clone(), value(expr)?)),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        })) => match left.as_ref() {
            Expr::Identifier(name) => Some((name.value.clone(), value(right)?)),
            _ => None,
        },
        _ => None,
    }
}

fn value(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => Some(
            value
                .value
                .clone()
                .into_string()
                .unwrap_or_else(|| value.value.to_string()),
        ),
        Expr::Identifier(name) => Some(name.value.clone()),
        _ => None,
    }
}

fn set(files: &mut DirectFiles, function: &str, key: &str, value: &str) -> Result<(), QueryError> {
    if key == HIVE {
        files.hive = match value.to_lowercase().as_str() {
            "auto" => None,
            other => Some(format::boolean(HIVE, other)?),
        };
        return Ok(());
    }
    let known = OPTIONS.iter().find(|(known, _)| *known == key);
    match (known, &mut files.format) {
        (Some((_, ours)), Some(format)) => format::set(format, ours, value),
        _ => Err(unknown(function, key)),
    }
}

fn unknown(function: &str, key: &str) -> QueryError {
    let names = || OPTIONS.iter().map(|(name, _)| *name).chain([HIVE]);
    let error = not_supported(&format!("option '{key}' of {function}"), "files are read as they are");
    match nearest(key, names()) {
        Some(close) => error.hint(format!("did you mean '{close}'?")),
        None => error.hint(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
    }
}

#[cfg(test)]
mod tests;
