//! Every feature of SELECT, one file each under `tests/sql`: as a user would run it, and forced to many tasks with 1, 3 and 16 partitions.
//! Equal to in-process DataFusion in types and rows, and in their order where the query sets one.

use crate::support::{self, Cloud, SCHEMA};
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use mayfly_end_to_end::client::{Client, QueryFailure};
use mayfly_end_to_end::slt::{self, Record};
use mayfly_end_to_end::table::Table;
use mayfly_end_to_end::{odd, oracle};

pub async fn cloud() -> (Cloud, SessionContext) {
    let files = odd::files().await;
    let mount = format!("odd={}", files.display());
    let cloud = support::cloud(&["--mount", &mount]).await;
    let oracle = oracle::context(&cloud.files, 2).await;
    for table in odd::TABLES {
        let sql = format!("CREATE EXTERNAL TABLE {SCHEMA}.{table} STORED AS PARQUET LOCATION 's3://odd/{table}/'");
        cloud.client.query(&sql).await.expect("created");
        let path = format!("{}/{table}/", files.display());
        let read = oracle.register_parquet(table, path, ParquetReadOptions::default());
        read.await.expect("the table reads");
    }
    (cloud, oracle)
}

/// What is wrong with an answer, if anything is.
fn wrong(record: &Record, got: Result<Table, QueryFailure>, expected: &Table) -> Option<String> {
    match got {
        Err(failure) => Some(format!("{failure:?}")),
        Ok(got) if record.is_ordered && got.rows != expected.rows => got
            .difference(expected)
            .or_else(|| Some("the rows are right and their order is not".to_owned())),
        Ok(got) => got.difference(expected),
    }
}

async fn check(name: &str) {
    let (cloud, oracle) = cloud().await;
    let mut failures = Vec::new();
    for record in slt::records(name) {
        let expected = match oracle::try_answer(&oracle, &record.sql).await {
            Ok(expected) => expected,
            Err(error) => {
                failures.push(format!("{name}.slt:{}: the oracle refuses: {error}", record.line));
                continue;
            }
        };
        for (mode, client) in modes(&cloud.client) {
            let got = client.query(&record.sql).await.map(|answer| answer.table);
            if let Some(wrong) = wrong(&record, got, &expected) {
                failures.push(format!(
                    "{name}.slt:{} {mode}: {wrong}\n    {}",
                    record.line, record.sql
                ));
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

fn modes(client: &Client) -> Vec<(String, Client)> {
    let forced = [1, 3, 16].map(|partitions| {
        let client = support::forced(client.clone(), partitions);
        (format!("forced, {partitions} partitions"), client)
    });
    let default = ("default".to_owned(), client.clone());
    std::iter::once(default).chain(forced).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn recursion() {
    check("recursion").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn table_functions() {
    check("table_functions").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joins() {
    check("joins").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sets() {
    check("sets").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows() {
    check("windows").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregates() {
    check("aggregates").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subqueries() {
    check("subqueries").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_and_limit() {
    check("order_and_limit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_and_unnest() {
    check("values_and_unnest").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types() {
    check("types").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_and_narrow() {
    check("empty_and_narrow").await;
}

/// Each is refused with a clear error in every mode, and none is refused needlessly: the oracle answers it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_on_the_list() {
    let (cloud, oracle) = cloud().await;
    for record in slt::records("refused") {
        let place = format!("refused.slt:{}: {}", record.line, record.sql);
        let answer = oracle::try_answer(&oracle, &record.sql).await;
        assert!(answer.is_ok(), "{place}: the oracle refuses it too: {answer:?}");
        for (mode, client) in modes(&cloud.client) {
            let refusal = client.query(&record.sql).await.err();
            let name = refusal.as_ref().map(|failure| failure.name.as_str());
            assert_eq!(name, Some("NOT_SUPPORTED"), "{place} {mode}: {refusal:?}");
        }
    }
}
