//! `STORED AS` and `OPTIONS (…)` of `CREATE EXTERNAL TABLE` → a file format. Options are DataFusion's, with or without `format.` before
//! them; what is not known is refused, never ignored.

use datafusion::sql::sqlparser::ast::Value;
use mayfly_catalog::nearest;
use mayfly_protocol::{Compression, CsvFormat, ErrorCode, FileFormat, JsonFormat, QueryError};

const CSV_OPTIONS: [&str; 8] = [
    "has_header",
    "delimiter",
    "quote",
    "escape",
    "comment",
    "newlines_in_values",
    "compression",
    "null_value",
];

const JSON_OPTIONS: [&str; 1] = ["compression"];

/// The format with its options.
pub(super) fn parse(stored_as: &str, options: &[(String, Value)]) -> Result<FileFormat, QueryError> {
    let mut format = match stored_as.to_lowercase().as_str() {
        "parquet" => FileFormat::Parquet,
        "csv" => FileFormat::Csv(CsvFormat::default()),
        "json" | "ndjson" => FileFormat::Json(JsonFormat::default()),
        _ => {
            let message = format!("STORED AS {stored_as} is not supported: tables are STORED AS PARQUET, CSV or JSON");
            return Err(QueryError::new(ErrorCode::NotSupported, message));
        }
    };
    for (key, value) in options {
        let key = key.to_lowercase();
        let key = key.strip_prefix("format.").unwrap_or(&key);
        let value = value.clone().into_string().unwrap_or_else(|| value_text(value));
        set(&mut format, key, &value)?;
    }
    Ok(format)
}

/// One option, in lower case.
pub(super) fn set(format: &mut FileFormat, key: &str, value: &str) -> Result<(), QueryError> {
    match format {
        FileFormat::Parquet => return Err(unknown(key, &[])),
        FileFormat::Csv(csv) => set_csv(csv, key, value)?,
        FileFormat::Json(json) if key == "compression" => json.compression = Some(compression(value)?),
        FileFormat::Json(_) => return Err(unknown(key, &JSON_OPTIONS)),
    }
    Ok(())
}

/// Numbers and booleans as they are written.
fn value_text(value: &Value) -> String {
    value.to_string().trim_matches('\'').to_owned()
}

fn set_csv(csv: &mut CsvFormat, key: &str, value: &str) -> Result<(), QueryError> {
    match key {
        "has_header" => csv.has_header = boolean(key, value)?,
        "delimiter" => csv.delimiter = character(key, value)?,
        "quote" => csv.quote = character(key, value)?,
        "escape" => csv.escape = Some(character(key, value)?),
        "comment" => csv.comment = Some(character(key, value)?),
        "newlines_in_values" => csv.newlines_in_values = boolean(key, value)?,
        "compression" => csv.compression = Some(compression(value)?),
        "null_value" => csv.null_value = Some(value.to_owned()),
        _ => return Err(unknown(key, &CSV_OPTIONS)),
    }
    Ok(())
}

pub(super) fn boolean(key: &str, value: &str) -> Result<bool, QueryError> {
    match value.to_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(invalid(key, value, "true or false")),
    }
}

fn character(key: &str, value: &str) -> Result<char, QueryError> {
    let refuse = || invalid(key, value, "one ASCII character, or \\t");
    let mut characters = value.chars();
    match (characters.next(), characters.next(), characters.next()) {
        (Some('\\'), Some('t'), None) => Ok('\t'),
        (Some(only), None, None) if only.is_ascii() && !matches!(only, '\n' | '\r') => Ok(only),
        _ => Err(refuse()),
    }
}

fn compression(value: &str) -> Result<Compression, QueryError> {
    match value.to_lowercase().as_str() {
        "none" | "uncompressed" => Ok(Compression::None),
        "gzip" | "gz" => Ok(Compression::Gzip),
        "bzip2" | "bz2" => Ok(Compression::Bzip2),
        "xz" => Ok(Compression::Xz),
        "zstd" | "zst" => Ok(Compression::Zstd),
        _ => Err(invalid("compression", value, "none, gzip, bzip2, xz or zstd")),
    }
}

fn invalid(key: &str, value: &str, expected: &str) -> QueryError {
    let message = format!("table option '{key}' cannot be '{value}': it is {expected}");
    QueryError::new(ErrorCode::InvalidArguments, message)
}

fn unknown(key: &str, known: &[&str]) -> QueryError {
    let message = format!("table option '{key}' does not exist");
    let error = QueryError::new(ErrorCode::InvalidArguments, message);
    match nearest(key, known.iter().copied()) {
        Some(close) => error.hint(format!("did you mean '{close}'?")),
        None => error,
    }
}

#[cfg(test)]
mod tests;
