//! Files that a query names itself: every way to name them yields the rows that are in them, in one task and in many.

use crate::support::{self, Cloud};
use mayfly_end_to_end::client::{Client, QueryFailure};
use std::path::Path;

fn put(root: &Path, key: &str, text: &str) {
    let path = root.join(key);
    std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("writable");
    std::fs::write(path, text).expect("writable");
}

/// The bucket `mine`, beside TPC-H's bucket `tpch`. The folder lives as long as the test.
async fn world() -> (Cloud, tempfile::TempDir) {
    let made = tempfile::tempdir().expect("a folder");
    let root = made.path();
    put(root, "a/one.csv", "id,name\n1,ann\n2,bob\n");
    put(root, "a/two.csv", "id,name\n3,cid\n");
    put(root, "a/deep/three.csv", "id,name\n4,dan\n");
    put(root, "a/deep/note.txt", "no rows");
    put(root, "a/_hidden.csv", "id,name\n9,zoe\n");
    put(root, "b/semi.csv", "7;x\n8;NA\n");
    put(
        root,
        "j/x.jsonl",
        "{\"id\":1,\"tags\":[\"p\",\"q\"]}\n{\"id\":2,\"tags\":[]}\n",
    );
    put(root, "h/year=2023/part=1/x.csv", "v\n10\n");
    put(root, "h/year=2024/part=1/x.csv", "v\n20\n");
    put(root, "h/year=2024/part=2/x.csv", "v\n30\n");
    put(root, "t/x.tsv", "k\tv\n1\tone\n");
    put(root, "t/Upper.csv", "id,v\n1,x\n");
    put(root, "mixed/x.csv", "a\n1\n");
    put(root, "mixed/y.json", "{\"a\":1}\n");
    std::fs::create_dir(root.join("empty")).expect("writable");
    let cloud = support::cloud(&["--mount", &format!("mine={}", root.display())]).await;
    (cloud, made)
}

async fn rows(client: &Client, sql: &str) -> Result<Vec<String>, QueryFailure> {
    let answer = client.query(sql).await?;
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
    let row = |row: &Vec<Option<String>>| row.iter().map(cell).collect::<Vec<_>>().join(" ");
    let mut rows: Vec<String> = answer.table.rows.iter().map(row).collect();
    rows.sort();
    Ok(rows)
}

const QUERIES: [(&str, &[&str]); 32] = [
    ("SELECT * FROM 's3://mine/a/one.csv'", &["1 ann", "2 bob"]),
    ("SELECT one.name FROM 's3://mine/a/one.csv' WHERE one.id = 2", &["bob"]),
    (
        "SELECT f.name FROM 's3://mine/a/*.csv' AS f WHERE f.id > 1",
        &["bob", "cid"],
    ),
    ("SELECT sum(id) FROM 's3://mine/a/**/*.csv'", &["10"]),
    ("SELECT sum(id) FROM 's3://mine/a/**'", &[]),
    ("SELECT sum(id) FROM 's3://mine/a/{one,deep/three}.csv'", &["7"]),
    ("SELECT sum(id) FROM 's3://mine/a/t[a-z]o.csv'", &["3"]),
    ("SELECT sum(id) FROM 's3://mine/a/?n?.csv'", &["3"]),
    ("SELECT sum(id) FROM 's3://mine/a/_*.csv'", &["9"]),
    (
        "SELECT sum(id) FROM read_csv(['s3://mine/a/one.csv', 's3://mine/a/deep/*.csv'])",
        &["7"],
    ),
    (
        "SELECT * FROM read_csv('s3://mine/b/semi.csv', header => false, delim => ';') AS t(n, x)",
        &["7 x", "8 NA"],
    ),
    (
        "SELECT * FROM read_csv('s3://mine/b/semi.csv', header => false, delim => ';', nullstr => 'NA') AS t(n, x)",
        &["7 x", "8 NULL"],
    ),
    (
        "SELECT column_1 FROM read_csv('s3://mine/b/semi.csv', header = false, sep = ';')",
        &["7", "8"],
    ),
    ("SELECT id FROM 's3://mine/j/x.jsonl' WHERE tags[1] = 'p'", &["1"]),
    (
        "SELECT year, part, v FROM 's3://mine/h/'",
        &["2023 1 10", "2024 1 20", "2024 2 30"],
    ),
    ("SELECT sum(v) FROM 's3://mine/h/**/*.csv' WHERE year = 2024", &["50"]),
    (
        "SELECT year, v FROM 's3://mine/h/year=2024/*/*.csv'",
        &["2024 20", "2024 30"],
    ),
    (
        "SELECT * FROM read_csv('s3://mine/h/*/*/x.csv', hive_partitioning => false)",
        &["10", "20", "30"],
    ),
    ("SELECT v FROM 's3://mine/t/x.tsv'", &["one"]),
    (
        "SELECT a.name, b.v FROM 's3://mine/a/one.csv' a JOIN 's3://mine/t/x.tsv' b ON a.id = b.k",
        &["ann one"],
    ),
    (
        "SELECT n.n_name FROM nation n JOIN 's3://mine/a/*.csv' f ON n.n_nationkey = f.id WHERE f.name = 'cid'",
        &["CANADA"],
    ),
    (
        "WITH f AS (SELECT id FROM 's3://mine/a/one.csv') SELECT count(*) FROM f x JOIN f y ON x.id <> y.id",
        &["2"],
    ),
    (
        "SELECT count(*) FROM 's3://mine/a/one.csv' UNION ALL SELECT count(*) FROM 's3://mine/a/one.csv'",
        &["2", "2"],
    ),
    ("SELECT (SELECT max(id) FROM 's3://mine/a/*.csv')", &["3"]),
    (
        "SELECT id FROM 's3://mine/a/one.csv' WHERE id NOT IN (SELECT k FROM 's3://mine/t/*.tsv')",
        &["2"],
    ),
    (
        "SELECT count(*), count(DISTINCT o_custkey) > 1 FROM 's3://tpch/orders/*.parquet'",
        &["150000 true"],
    ),
    ("SELECT count(*) FROM read_parquet('s3://tpch/lineitem/')", &["600572"]),
    ("DESCRIBE 's3://mine/a/one.csv'", &["id bigint  ", "name varchar  "]),
    (
        "DESCRIBE read_csv('s3://mine/h/**')",
        &["part bigint  ", "v bigint  ", "year bigint  "],
    ),
    (
        "DESCRIBE SELECT id + 1 AS next, name FROM 's3://mine/a/*.csv'",
        &["name varchar  ", "next bigint  "],
    ),
    ("SELECT count(*) FROM read_json('s3://mine/j/x.jsonl')", &["2"]),
    (
        "SELECT id, name, v FROM 's3://mine/a/one.csv' JOIN 's3://mine/t/Upper.csv' USING (id)",
        &["1 ann x"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_name_files() {
    let (cloud, _made) = world().await;
    let mut failures = Vec::new();
    for client in [cloud.client.clone(), support::forced(cloud.client.clone(), 3)] {
        for (sql, expected) in QUERIES {
            let found = rows(&client, sql).await;
            // A folder of files of two kinds has no rows but an error.
            let fits = match &found {
                Ok(rows) => rows == expected,
                Err(failure) => expected.is_empty() && failure.message.contains("note.txt"),
            };
            if !fits {
                failures.push(format!("{sql}\n    {found:?}"));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} wrong:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_named() {
    let (cloud, _made) = world().await;
    for (from, code, part) in [
        ("'s3://mine/empty/'", "NOT_FOUND", "'s3://mine/empty/'"),
        ("'s3://mine/a/*.parquet'", "NOT_FOUND", "'s3://mine/a/*.parquet'"),
        ("'s3://mine/a/nosuch.csv'", "NOT_FOUND", "'s3://mine/a/nosuch.csv'"),
        ("'s3://nosuch/x.csv'", "NOT_FOUND", "'nosuch'"),
        ("'s3://mine/mixed/'", "MAYFLY_SCHEMA_MISMATCH", "y.json"),
        ("'./a/*.csv'", "MAYFLY_LOCATION_NOT_ALLOWED", "'./a/*.csv'"),
        (
            "'s3://mayfly/catalog/*.json'",
            "MAYFLY_LOCATION_NOT_ALLOWED",
            "own objects",
        ),
        ("'s3://mayfly/*'", "MAYFLY_LOCATION_NOT_ALLOWED", "own objects"),
        (
            "'s3://mine/a/../b/semi.csv'",
            "MAYFLY_LOCATION_NOT_ALLOWED",
            "not plain",
        ),
        (
            "read_csv('s3://mine/a/one.csv', heder => true)",
            "NOT_SUPPORTED",
            "heder",
        ),
        ("read_csv('s3://mine/a/one.csv', columns => {'a': 'INT'})", "", ""),
        (
            "read_csv(['s3://mine/a/one.csv', 's3://tpch/x.csv'])",
            "NOT_SUPPORTED",
            "two buckets",
        ),
        ("read_csv(name)", "INVALID_ARGUMENTS", "first argument"),
    ] {
        let failure = cloud
            .client
            .query(&format!("SELECT * FROM {from}"))
            .await
            .expect_err(from);
        assert!(failure.name.contains(code), "{from}: {failure:?}");
        assert!(failure.message.contains(part), "{from}: {failure:?}");
        assert!(!failure.message.contains("internal"), "{from}: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_stand_on_files_and_nothing_is_written_for_them() {
    let (cloud, made) = world().await;
    let store = cloud.store().await;
    let before = store.list("mayfly", "catalog/").await.expect("it lists").len();
    rows(&cloud.client, "SELECT count(*) FROM 's3://tpch/orders/'")
        .await
        .expect("answered");
    let after = store.list("mayfly", "catalog/").await.expect("it lists").len();
    assert_eq!(before, after, "a catalog object was written");
    let view = "CREATE VIEW people AS SELECT id, name FROM read_csv('s3://mine/a/*.csv', header => true) AS f";
    cloud.client.query(view).await.expect("created");
    let sql = "SELECT count(*) FROM people";
    assert_eq!(rows(&cloud.client, sql).await.expect("answered"), ["3"]);
    put(made.path(), "a/four.csv", "id,name\n5,eve\n");
    cloud.server.refresh();
    assert_eq!(rows(&cloud.client, sql).await.expect("answered"), ["4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn footers_are_read_once() {
    let (cloud, _made) = world().await;
    let sql = "EXPLAIN SELECT count(*) FROM 's3://tpch/lineitem/*.parquet' WHERE l_orderkey = 7";
    let gets = |stats: &serde_json::Value| {
        let lines = stats["mayfly"]["bill"]["lines"].as_array().expect("a bill has lines");
        let gets = lines.iter().filter(|line| line["resource"] == "s3_gets");
        gets.map(|line| line["quantity"].as_u64().expect("counted"))
            .sum::<u64>()
    };
    let first = cloud.client.query(sql).await.expect("planned").stats;
    let second = cloud.client.query(sql).await.expect("planned").stats;
    assert!(gets(&first) >= 2, "{first}");
    assert_eq!(gets(&second), 0, "{second}");
}

/// Figures that DuckDB 2.0 gives for the same rows.
#[tokio::test(flavor = "multi_thread")]
async fn summarize_has_a_row_for_each_column() {
    let (cloud, made) = world().await;
    put(
        made.path(),
        "s/x.csv",
        "i,f,s,d\n1,2.5,a,2020-01-01\n3,,b,2020-01-03\n2,2.5,b,\n,4.0,,2020-01-02\n",
    );
    cloud.server.refresh();
    let expected = [
        "d date 2020-01-01 2020-01-03 3 2020-01-02 NULL 2020-01-01 2020-01-02 2020-01-03 4 25.00",
        "f double 2.5 4.0 2 3.0 0.8660254037844386 2.5 2.5 3.625 4 25.00",
        "i bigint 1 3 3 2.0 1.0 1 2 3 4 25.00",
        "s varchar a b 2 NULL NULL NULL NULL NULL 4 25.00",
    ];
    for client in [cloud.client.clone(), support::forced(cloud.client.clone(), 3)] {
        let answer = client.query("SUMMARIZE 's3://mine/s/x.csv'").await.expect("answered");
        let names = "column_name column_type min max approx_unique avg std q25 q50 q75 count null_percentage";
        assert_eq!(answer.table.columns.join(" "), names);
        let found = rows(&client, "SUMMARIZE 's3://mine/s/x.csv'").await.expect("answered");
        assert_eq!(found, expected);
    }
    let same = "SUMMARIZE SELECT i, f, s, d FROM read_csv('s3://mine/s/*.csv') WHERE true";
    assert_eq!(rows(&cloud.client, same).await.expect("answered"), expected);
    let table = rows(&cloud.client, "SUMMARIZE tpch.nation").await.expect("answered");
    assert_eq!(table.len(), 4, "{table:?}");
    let orders = rows(&support::forced(cloud.client.clone(), 3), "SUMMARIZE orders")
        .await
        .expect("answered");
    assert!(
        orders.iter().any(|row| row.starts_with("o_orderstatus varchar F P 3 ")),
        "{orders:?}"
    );
}
