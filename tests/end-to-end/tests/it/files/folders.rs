//! Folders that name columns, and odd names.

use super::world::{World, optional, parquet};
use arrow::array::{ArrayRef, Int64Array};
use std::sync::Arc;

fn longs(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_in_a_folder_keeps_its_hours() {
    let folder = tempfile::tempdir().expect("a folder");
    let times = ["2024-01-01T00:00:00", "2024-01-01T05:00:00", "2024-01-01T23:00:00"];
    for (at, time) in times.iter().enumerate() {
        parquet(
            folder.path(),
            &format!("times/dt={time}/f.parquet"),
            vec![optional("a", longs(&[at as i64]))],
            10,
        );
        let escaped = time.replace(':', "%3A").replace('T', " ");
        parquet(
            folder.path(),
            &format!("escaped/dt={escaped}/f.parquet"),
            vec![optional("a", longs(&[at as i64]))],
            10,
        );
    }
    for (key, day) in [("a", "2024-01-01"), ("b", "2024-01-02")] {
        parquet(
            folder.path(),
            &format!("days/dt={day}/{key}.parquet"),
            vec![optional("a", longs(&[1]))],
            10,
        );
    }
    for value in ["%+5", "+5", "5"] {
        parquet(
            folder.path(),
            &format!("plus/k={value}/f.parquet"),
            vec![optional("a", longs(&[1]))],
            10,
        );
    }
    let world = World::over(folder);
    for table in ["times", "escaped", "days", "plus"] {
        world.table(table, "", "PARQUET").await;
    }
    world.check("SELECT dt FROM times", &times.join(";")).await;
    world
        .check("SELECT a FROM times WHERE dt = '2024-01-01T05:00:00'", "1")
        .await;
    world
        .check("SELECT a FROM times WHERE dt > '2024-01-01T04:00:00'", "1;2")
        .await;
    world.check("SELECT a FROM times WHERE dt LIKE '%T23%'", "2").await;
    world
        .check("SELECT a FROM escaped WHERE dt >= '2024-01-01 05:00:00'", "1;2")
        .await;
    world
        .check("SELECT count(*) FROM days WHERE dt = DATE '2024-01-02'", "1")
        .await;
    world.check("SELECT k FROM plus", "%+5;+5;5").await;
    let declared = "(a BIGINT, dt DATE)";
    let failure = world.no_table("times", declared, "PARQUET").await;
    assert_eq!(failure.name, "TABLE_ALREADY_EXISTS", "{}", failure.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_differ_in_case_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    parquet(
        folder.path(),
        "p/a.parquet",
        vec![optional("userId", longs(&[1])), optional("userid", longs(&[2]))],
        10,
    );
    std::fs::write(
        super::world::path(folder.path(), "j/a.json"),
        "{\"userId\":1,\"userid\":2}\n",
    )
    .expect("writable");
    std::fs::write(super::world::path(folder.path(), "c/a.csv"), "userId,userid\n1,2\n").expect("writable");
    let world = World::over(folder);
    for (table, format) in [("p", "PARQUET"), ("j", "JSON")] {
        let failure = world.no_table(table, "", format).await;
        assert_eq!(failure.name, "INVALID_ARGUMENTS", "{}", failure.message);
        assert!(failure.message.contains("'userId' and 'userid'"), "{}", failure.message);
    }
    world.table("p", "(userid BIGINT)", "PARQUET").await;
    world.check("SELECT userid FROM p", "2").await;
    world.table("c", "", "CSV").await;
    world.check("SELECT \"userId\", userid_1 FROM c", "1,2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_may_have_any_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = [
        "100%",
        "a#b",
        "a?b",
        "a*b",
        "a@b",
        "a\"b",
        "<a>",
        "a\\b",
        "%41",
        "ä ö",
        "a&b=c+d;e",
    ];
    for name in names {
        parquet(
            folder.path(),
            &format!("odd/{name}/f 1%.parquet"),
            vec![optional("a", longs(&[1, 2]))],
            1,
        );
        std::fs::write(
            super::world::path(folder.path(), &format!("text/{name}/f#1.csv")),
            "a\n1\n2\n",
        )
        .expect("writable");
    }
    let world = World::over(folder);
    for (at, name) in names.iter().enumerate() {
        for (format, kind) in [("PARQUET", "odd"), ("CSV", "text")] {
            let sql =
                format!("CREATE EXTERNAL TABLE {kind}{at} STORED AS {format} LOCATION 's3://files/{kind}/{name}/'");
            world.run(&sql).await;
            world.check(&format!("SELECT sum(a) FROM {kind}{at}"), "3").await;
        }
    }
}
