//! SHOW CREATE: the statement that makes a table or a view again. Whatever it prints can be run.

use crate::types;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::sql::sqlparser::keywords::{Keyword, RESERVED_FOR_COLUMN_ALIAS};
use datafusion::sql::sqlparser::tokenizer::Token;
use mayfly_catalog::{TableDefinition, TableRef, ViewDefinition};
use mayfly_protocol::{CsvFormat, FileFormat};

/// Words with which a constraint begins, where a column's name may stand.
const CONSTRAINTS: [Keyword; 5] = [
    Keyword::CHECK,
    Keyword::CONSTRAINT,
    Keyword::FOREIGN,
    Keyword::PRIMARY,
    Keyword::UNIQUE,
];

/// `CREATE EXTERNAL TABLE` of the table. Without its columns if one has a type that has no name in SQL: the files know it.
pub(super) fn table(table: &TableDefinition) -> String {
    let columns: Option<Vec<String>> = table.schema.fields().iter().map(column).collect();
    let columns = columns.map_or(String::new(), |columns| format!(" (\n   {}\n)", columns.join(",\n   ")));
    let mut lines = vec![
        format!("CREATE EXTERNAL TABLE {}{columns}", full_name(&table.name)),
        format!("STORED AS {}", table.format),
    ];
    if table.partition_columns > 0 {
        lines.push(format!("PARTITIONED BY ({})", names(table.partition_fields())));
    }
    lines.push(format!(
        "LOCATION {}",
        text(&format!("{}/", table.location.to_string().trim_end_matches('/')))
    ));
    let options: Vec<String> = options(&table.format)
        .into_iter()
        .map(|(key, value)| format!("{} {}", text(key), text(&value)))
        .collect();
    if !options.is_empty() {
        lines.push(format!("OPTIONS ({})", options.join(", ")));
    }
    lines.join("\n")
}

/// `CREATE VIEW` of the view.
pub(super) fn view(view: &ViewDefinition) -> String {
    let (name, columns) = (full_name(&view.name), names(view.columns.fields()));
    format!("CREATE VIEW {name} ({columns}) AS\n{}", view.sql)
}

fn column(field: &FieldRef) -> Option<String> {
    Some(format!("{} {}", name(field.name()), sql_type(field)?))
}

/// The type's name, if it means this type again when it is read.
fn sql_type(field: &Field) -> Option<String> {
    match field.data_type() {
        DataType::Binary => Some("bytea".to_owned()),
        data_type @ (DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Date32
        | DataType::Utf8
        | DataType::Timestamp(_, None)) => Some(types::type_name(data_type)),
        _ => None,
    }
}

/// What differs from the defaults.
fn options(format: &FileFormat) -> Vec<(&'static str, String)> {
    let mut options = match format {
        FileFormat::Csv(csv) => csv_options(csv),
        FileFormat::Json(_) | FileFormat::Parquet => Vec::new(),
    };
    let compression = format.compression().map(|compression| compression.to_string());
    options.extend(compression.map(|compression| ("compression", compression)));
    options
}

fn csv_options(csv: &CsvFormat) -> Vec<(&'static str, String)> {
    let default = CsvFormat::default();
    let mut options = Vec::new();
    let mut add = |key, value: Option<String>, is_default: bool| {
        options.extend(value.filter(|_| !is_default).map(|value| (key, value)));
    };
    let flag = |value: bool| Some(value.to_string());
    add("has_header", flag(csv.has_header), csv.has_header == default.has_header);
    add(
        "delimiter",
        Some(character(csv.delimiter)),
        csv.delimiter == default.delimiter,
    );
    add("quote", Some(character(csv.quote)), csv.quote == default.quote);
    add("escape", csv.escape.map(character), csv.escape == default.escape);
    add("comment", csv.comment.map(character), csv.comment == default.comment);
    let is_default = csv.newlines_in_values == default.newlines_in_values;
    add("newlines_in_values", flag(csv.newlines_in_values), is_default);
    add("null_value", csv.null_value.clone(), false);
    options
}

fn character(character: char) -> String {
    match character {
        '\t' => "\\t".to_owned(),
        other => other.to_string(),
    }
}

fn full_name(table: &TableRef) -> String {
    [&table.catalog, &table.schema, &table.table]
        .map(|part| name(part))
        .join(".")
}

fn names<'a>(fields: impl IntoIterator<Item = &'a FieldRef>) -> String {
    let names: Vec<String> = fields.into_iter().map(|field| name(field.name())).collect();
    names.join(", ")
}

/// The name, in quotes where it would not be read as one without.
fn name(name: &str) -> String {
    let is_plain = |c: char| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_word = name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty();
    match is_word && !is_reserved(name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn is_reserved(word: &str) -> bool {
    match Token::make_word(word, None) {
        Token::Word(word) => RESERVED_FOR_COLUMN_ALIAS.contains(&word.keyword) || CONSTRAINTS.contains(&word.keyword),
        _ => false,
    }
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
