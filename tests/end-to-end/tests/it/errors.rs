//! Bad input: a clear error in Trino's form, and the server lives on.

use crate::support;
use mayfly_end_to_end::client::QueryFailure;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_gets_its_own_clear_error() {
    let broken = tempfile::tempdir().expect("a temp folder");
    fs::create_dir(broken.path().join("cut")).expect("created");
    fs::create_dir(broken.path().join("garbage")).expect("created");
    let whole = fs::read(support::files().join("lineitem/part-00001.parquet")).expect("readable");
    fs::write(broken.path().join("cut/part.parquet"), &whole[..whole.len() / 2]).expect("written");
    fs::write(
        broken.path().join("garbage/part.parquet"),
        b"this is no parquet file, but long enough to have a footer",
    )
    .expect("written");
    let mount = format!("broken={}", broken.path().display());
    let cloud = support::cloud(&["--mount", &mount]).await;
    let external = |location: &str| format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{location}'");
    let cases = [
        ("SELEKT 1".to_owned(), "SYNTAX_ERROR", "line 1:1", Some((1, 1))),
        (String::from("SELECT 1 FROM"), "SYNTAX_ERROR", "", None),
        ("SELECT 1; SELECT 2".to_owned(), "SYNTAX_ERROR", "", None),
        (
            "SELECT * FROM lineitm".to_owned(),
            "TABLE_NOT_FOUND",
            "lineitem",
            Some((1, 15)),
        ),
        (
            "SELECT *\nFROM nosuch.lineitem".to_owned(),
            "SCHEMA_NOT_FOUND",
            "nosuch",
            None,
        ),
        (
            "SELECT l_orderky FROM lineitem".to_owned(),
            "COLUMN_NOT_FOUND",
            "l_orderkey",
            Some((1, 8)),
        ),
        ("SELECT nosuch(1)".to_owned(), "FUNCTION_NOT_FOUND", "nosuch", None),
        ("SELECT 1 / 0 FROM region".to_owned(), "DIVISION_BY_ZERO", "", None),
        (
            "SELECT CAST(r_name AS bigint) FROM region".to_owned(),
            "INVALID_CAST_ARGUMENT",
            "",
            None,
        ),
        (
            external("file:///etc/passwd"),
            "MAYFLY_LOCATION_NOT_ALLOWED",
            "file:///etc/passwd",
            None,
        ),
        (
            external("http://169.254.169.254/latest/"),
            "MAYFLY_LOCATION_NOT_ALLOWED",
            "http://",
            None,
        ),
        (external("s3://tpch/../etc/"), "MAYFLY_LOCATION_NOT_ALLOWED", "..", None),
        (external("s3://nosuchbucket/x/"), "NOT_FOUND", "nosuchbucket", None),
        (external("s3://tpch/nosuchfolder/"), "NOT_FOUND", "nosuchfolder", None),
        (
            external("s3://broken/cut/"),
            "MAYFLY_BAD_FILE",
            "cut/part.parquet",
            None,
        ),
        (
            external("s3://broken/garbage/"),
            "MAYFLY_BAD_FILE",
            "garbage/part.parquet",
            None,
        ),
        (
            "INSERT INTO region SELECT * FROM region".to_owned(),
            "NOT_SUPPORTED",
            "",
            None,
        ),
        (
            format!("SELECT {}1", "1+".repeat(2_000)),
            "MAYFLY_TOO_COMPLEX",
            "",
            None,
        ),
    ];
    let mut wrong = Vec::new();
    for (sql, name, part, location) in cases {
        match cloud.client.query(&sql).await {
            Ok(answer) => wrong.push(format!("{sql:.60}: answered {:?}", answer.table)),
            Err(error) => wrong.extend(judge(&sql, &error, name, part, location)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        cloud
            .client
            .query("SELECT count(*) FROM nation")
            .await
            .expect("the server lives on")
            .table
            .rows
            .len(),
        1
    );
}

fn judge(sql: &str, error: &QueryFailure, name: &str, part: &str, location: Option<(u64, u64)>) -> Option<String> {
    let right = error.name == name
        && error.message.contains(part)
        && location.is_none_or(|place| error.location == Some(place));
    (!right).then(|| format!("{sql:.60}: expected {name} with {part:?} at {location:?}, got {error:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_under_a_table_is_read_anew_or_named() {
    let folder = tempfile::tempdir().expect("a temp folder");
    let file = folder.path().join("t/part.parquet");
    fs::create_dir(folder.path().join("t")).expect("created");
    fs::copy(support::files().join("region/part-00001.parquet"), &file).expect("copied");
    let mount = format!("mine={}", folder.path().display());
    let cloud = support::cloud(&["--mount", &mount]).await;
    cloud
        .client
        .query("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 's3://mine/t/'")
        .await
        .expect("created");
    assert_eq!(
        cloud
            .client
            .query("SELECT count(*) FROM t")
            .await
            .expect("answered")
            .table
            .rows,
        [[Some("5".to_owned())]]
    );
    fs::copy(
        support::files().join("region/part-00001.parquet"),
        folder.path().join("t/second.parquet"),
    )
    .expect("copied");
    cloud.server.refresh();
    assert_eq!(
        cloud
            .client
            .query("SELECT count(*) FROM t")
            .await
            .expect("answered")
            .table
            .rows,
        [[Some("10".to_owned())]]
    );
    fs::write(&file, b"PAR1 no longer a table PAR1").expect("written");
    cloud.server.refresh();
    let error = cloud
        .client
        .query("SELECT sum(r_regionkey) FROM t")
        .await
        .expect_err("the file is broken now");
    assert_eq!(error.name, "MAYFLY_BAD_FILE");
    assert!(error.message.contains("part.parquet"), "{error:?}");
}
