//! The catalog's errors, each named for its user. Storage errors become what the user can do about them.

use crate::{TableRef, nearest};
use arrow::datatypes::Field;
use arrow::error::ArrowError;
use mayfly_protocol::{ErrorCode, FileFormat, QueryError};
use mayfly_store::StoreError;

pub(crate) fn bad_name(name: &str) -> QueryError {
    let shown: String = name.chars().take(80).collect();
    QueryError::new(
        ErrorCode::InvalidArguments,
        format!("'{shown}' cannot name a schema or a table"),
    )
    .hint("names have letters, digits, '_', '-' and '$'")
}

pub(crate) fn no_catalog(name: &str, known: &str) -> QueryError {
    QueryError::new(ErrorCode::CatalogNotFound, format!("Catalog '{name}' does not exist"))
        .hint(format!("did you mean '{known}'?"))
}

pub(crate) fn no_schema<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> QueryError {
    let error = QueryError::new(ErrorCode::SchemaNotFound, format!("Schema '{name}' does not exist"));
    with_nearest(error, name, known)
}

pub(crate) fn no_table<'a>(name: &TableRef, known: impl IntoIterator<Item = &'a str>) -> QueryError {
    let error = QueryError::new(ErrorCode::TableNotFound, format!("Table '{name}' does not exist"));
    if name.table.contains('/') {
        return error.hint("files stand in single quotes: FROM 's3://bucket/file.parquet'");
    }
    with_nearest(error, &name.table, known)
}

fn with_nearest<'a>(error: QueryError, name: &str, known: impl IntoIterator<Item = &'a str>) -> QueryError {
    match nearest(name, known) {
        Some(close) => error.hint(format!("did you mean '{close}'?")),
        None => error,
    }
}

pub(crate) fn table_exists(name: &TableRef) -> QueryError {
    QueryError::new(ErrorCode::TableAlreadyExists, format!("Table '{name}' already exists"))
}

pub(crate) fn schema_exists(name: &str) -> QueryError {
    QueryError::new(
        ErrorCode::SchemaAlreadyExists,
        format!("Schema '{name}' already exists"),
    )
}

pub(crate) fn not_allowed(location: &str, why: &str) -> QueryError {
    let shown: String = location.chars().take(200).collect();
    QueryError::new(
        ErrorCode::LocationNotAllowed,
        format!("location '{shown}' is not allowed: {why}"),
    )
}

pub(crate) fn empty_location(location: &str) -> QueryError {
    QueryError::new(ErrorCode::NotFound, format!("there is no file at '{location}'"))
}

/// Files of one place whose names tell different formats.
pub(crate) fn two_formats(file: &str, other: &str) -> QueryError {
    let message = format!("'{file}' and '{other}' are of different formats");
    QueryError::new(ErrorCode::SchemaMismatch, message).hint("a pattern such as …/*.parquet leaves the others out")
}

pub(crate) fn bad_file(file: &str, why: impl std::fmt::Display) -> QueryError {
    QueryError::new(
        ErrorCode::BadFile,
        format!("'{file}' is not a readable Parquet file: {why}"),
    )
}

/// A name that stands for something else than the statement takes it for.
pub(crate) fn not_a(name: &TableRef, wanted: &str, found: &str) -> QueryError {
    QueryError::new(
        ErrorCode::NotSupported,
        format!("'{name}' is a {found}, not a {wanted}"),
    )
    .hint(format!("DROP {} drops it", found.to_uppercase()))
}

pub(crate) fn held_and_folder(column: &str) -> QueryError {
    QueryError::new(
        ErrorCode::InvalidArguments,
        format!("'{column}' cannot partition the table: its files hold a column of that name"),
    )
}

/// A text file that the reader of its format does not take.
pub(crate) fn bad_text_file(file: &str, format: &FileFormat, why: impl std::fmt::Display) -> QueryError {
    QueryError::new(
        ErrorCode::BadFile,
        format!("'{file}' is not a readable {format} file: {why}"),
    )
}

/// A file that lies in other partition folders than the table's.
pub(crate) fn not_partitioned(file: &str, columns: &[String]) -> QueryError {
    let folders: Vec<String> = columns.iter().map(|column| format!("{column}=…/")).collect();
    let folders = folders.concat();
    QueryError::new(
        ErrorCode::SchemaMismatch,
        format!("'{file}' does not lie in folders '{folders}' as its table is partitioned"),
    )
}

pub(crate) fn bad_partition(location: &str, column: &Field, why: &ArrowError) -> QueryError {
    let (name, data_type) = (column.name(), column.data_type());
    QueryError::new(
        ErrorCode::SchemaMismatch,
        format!("a folder '{name}=…' of '{location}' is no value of type {data_type}: {why}"),
    )
}

pub(crate) fn schema_mismatch(file: &str, why: &str) -> QueryError {
    QueryError::new(
        ErrorCode::SchemaMismatch,
        format!("'{file}' has another schema than its table: {why}"),
    )
}

/// Two columns that no query could tell apart.
pub(crate) fn one_name(first: &str, second: &str) -> QueryError {
    let how = if first == second {
        "have one name"
    } else {
        "differ only in case"
    };
    QueryError::new(
        ErrorCode::InvalidArguments,
        format!("columns '{first}' and '{second}' of the table {how}"),
    )
    .hint("list the columns that the table shall have")
}

pub(crate) fn no_file_has(location: &str, column: &str) -> QueryError {
    QueryError::new(
        ErrorCode::SchemaMismatch,
        format!("no file at '{location}' has a column '{column}'"),
    )
}

pub(crate) fn corrupt_object(key: &str, why: impl std::fmt::Display) -> QueryError {
    QueryError::new(
        ErrorCode::GenericInternalError,
        format!("catalog object '{key}' cannot be read: {why}"),
    )
    .hint("DROP TABLE or DROP VIEW removes it; files of tables stay")
}

/// A column that nests deeper than can be kept, sent and read again everywhere.
pub(crate) fn nests_too_deep(relation: &TableRef, column: &str, most: usize) -> QueryError {
    QueryError::new(
        ErrorCode::NotSupported,
        format!("column '{column}' of '{relation}' nests deeper than {most} levels"),
    )
    .hint("declare the columns that are wanted, without this one")
}

/// What a failed request means to the user who named `what`, e.g. `s3://bucket/prefix/`.
pub(crate) fn store(what: &str, cause: &StoreError) -> QueryError {
    match cause {
        StoreError::NotFound { .. } => QueryError::new(ErrorCode::NotFound, format!("'{what}' does not exist")),
        StoreError::NoBucket { bucket } => QueryError::new(
            ErrorCode::NotFound,
            format!("bucket '{bucket}' of '{what}' does not exist"),
        ),
        StoreError::Denied { .. } => {
            QueryError::new(ErrorCode::PermissionDenied, format!("access to '{what}' is denied"))
        }
        StoreError::Changed { .. } => {
            QueryError::new(ErrorCode::SourceChanged, format!("'{what}' changed while it was read"))
        }
        other => QueryError::new(ErrorCode::S3Error, format!("'{what}' cannot be read: {other}")),
    }
}

/// What a failed PUT means: nothing of the statement stands, or all of it does, and asking again tells which.
pub(crate) fn unwritten(what: &str, cause: &StoreError) -> QueryError {
    changing(what, "written", cause)
}

pub(crate) fn undeleted(what: &str, cause: &StoreError) -> QueryError {
    changing(what, "deleted", cause)
}

fn changing(what: &str, how: &str, cause: &StoreError) -> QueryError {
    match cause {
        StoreError::NotFound { .. } | StoreError::NoBucket { .. } | StoreError::Denied { .. } => store(what, cause),
        other => QueryError::new(ErrorCode::S3Error, format!("'{what}' cannot be {how}: {other}"))
            .hint("run the statement again; it may have been done all the same"),
    }
}
