//! Statements beside the files that they name.

use super::NamedFiles;
use crate::sql::{Statement, parse};
use mayfly_protocol::{FileFormat, QueryError};

fn files(sql: &str) -> Result<Vec<NamedFiles>, QueryError> {
    match parse(sql)? {
        Statement::Query(query) => Ok(query.files),
        other => panic!("{sql}: {other:?}"),
    }
}

fn check(from: &str, expected: &[&str]) {
    let files = files(&format!("SELECT * FROM {from}")).unwrap_or_else(|error| panic!("{from}: {error:?}"));
    let shown: Vec<String> = files
        .iter()
        .map(|named| {
            let format = named
                .files
                .format
                .as_ref()
                .map_or("?".to_owned(), |format| format.to_string());
            format!("{format} {}", named.files.places.join(" "))
        })
        .collect();
    assert_eq!(shown, expected, "{from}");
}

fn csv(call: &str) -> mayfly_protocol::CsvFormat {
    let files = files(&format!("SELECT * FROM {call}")).unwrap_or_else(|error| panic!("{call}: {error:?}"));
    match &files[0].files.format {
        Some(FileFormat::Csv(csv)) => csv.clone(),
        other => panic!("{call}: {other:?}"),
    }
}

#[test]
fn texts_and_calls_name_files() {
    check("'s3://b/a/*.parquet'", &["? s3://b/a/*.parquet"]);
    check("'s3://b/a/' AS t", &["? s3://b/a/"]);
    check("read_parquet('s3://b/x')", &["PARQUET s3://b/x"]);
    check("READ_CSV(['s3://b/x', 's3://b/y']) t", &["CSV s3://b/x s3://b/y"]);
    check("read_ndjson('s3://b/x')", &["JSON s3://b/x"]);
    check(
        "t JOIN 's3://b/x.csv' x ON t.a = x.a, (SELECT * FROM read_json('s3://b/y.json')) z",
        &["? s3://b/x.csv", "JSON s3://b/y.json"],
    );
    check(
        "(WITH c AS (SELECT 1 FROM 's3://b/c.csv') SELECT * FROM c) q",
        &["? s3://b/c.csv"],
    );
    check("t WHERE a IN (SELECT a FROM 's3://b/c.csv')", &["? s3://b/c.csv"]);
    check("t", &[]);
    check("generate_series(1, 3)", &[]);
}

#[test]
fn options_in_every_spelling() {
    let format = csv("read_csv('s3://b/x', header => false, delim := ';', quote = '|', compression => 'gzip')");
    assert!(!format.has_header);
    assert_eq!((format.delimiter, format.quote), (';', '|'));
    assert_eq!(format.compression, Some(mayfly_protocol::Compression::Gzip));
    assert_eq!(csv("read_csv('s3://b/x', sep = '\\t')").delimiter, '\t');
    assert!(csv("read_csv_auto('s3://b/x', HEADER = TRUE)").has_header);
}

#[test]
fn what_is_not_known_is_refused() {
    let check = |call: &str, expected: &str| {
        let error = files(&format!("SELECT * FROM {call}")).unwrap_err();
        let shown = format!("{} {}", error.message, error.hint.as_deref().unwrap_or_default());
        assert!(shown.contains(expected), "{call}: {shown}");
    };
    check("read_csv('s3://b/x', heder => true)", "did you mean 'header'");
    check("read_csv('s3://b/x', header => 7)", "true or false");
    check("read_parquet('s3://b/x', delim => ';')", "delimiter");
    check("read_csv()", "names no files");
    check("read_csv(x)", "first argument");
    check("read_csv('s3://b/x', 's3://b/y')", "name => value");
}
