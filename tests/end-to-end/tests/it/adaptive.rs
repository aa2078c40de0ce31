//! What is decided by what is known: files that are not opened, tasks that are not run, and plans that change while a query runs.

use crate::support::{self, Cloud, SCHEMA};
use datafusion::prelude::SessionContext;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::oracle;
use std::path::Path;

/// A cloud of one task at a time: what ends first is then certain.
async fn one_at_a_time(arguments: &[&str]) -> (Cloud, SessionContext) {
    let cloud = support::cloud(&[&["--concurrency", "1"], arguments].concat()).await;
    let oracle = oracle::context(&cloud.files, 2).await;
    (cloud, oracle)
}

/// Tasks as large as may still change: smaller ones force their number.
fn adaptive(client: &Client) -> Client {
    client.clone().with("target_task_bytes", "16MiB")
}

async fn analyzed(client: &Client, sql: &str) -> String {
    let answer = client.query(&format!("EXPLAIN ANALYZE {sql}")).await.expect("analyzed");
    let lines = answer.table.rows.into_iter().flatten().flatten();
    lines.collect::<Vec<_>>().join("\n")
}

async fn equals_the_oracle(client: &Client, oracle: &SessionContext, sql: &str) {
    let expected = oracle::answer(oracle, sql).await;
    let answer = client
        .query(sql)
        .await
        .unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
    assert_eq!(answer.table.difference(&expected), None, "{sql}");
}

async fn write(oracle: &SessionContext, sql: &str, to: &Path) {
    let sql = format!("COPY ({sql}) TO '{}'", to.display());
    let frame = oracle.sql(&sql).await.expect("a valid COPY");
    frame.collect().await.expect("written");
}

/// The lines of one fragment.
fn fragment(text: &str, starts: &str) -> String {
    let from = text.find(starts).unwrap_or_else(|| panic!("{starts} in\n{text}"));
    let rest = &text[from..];
    rest.split("\nFragment").next().unwrap_or(rest).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_turn_out_small_go_to_fewer_tasks() {
    let (cloud, oracle) = one_at_a_time(&[]).await;
    let client = adaptive(&cloud.client);
    let sql = "SELECT count(*), max(a.l_comment), max(b.l_comment), sum(a.l_extendedprice), max(b.l_shipinstruct) \
               FROM lineitem a FULL JOIN lineitem b ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber";
    let text = analyzed(&client, sql).await;
    let joins = fragment(&text, "Fragment 2 ");
    let actual = joins.lines().find(|line| line.contains("Actual:")).expect("actuals");
    let number = |after: &str| -> u32 {
        let digits = actual
            .split(after)
            .nth(1)
            .expect(after)
            .chars()
            .take_while(char::is_ascii_digit);
        digits.collect::<String>().parse().expect("a number")
    };
    assert!(number("Actual: ") < number("(planned "), "{text}");
    equals_the_oracle(&client, &oracle, sql).await;
}

/// All columns of one side, so that it is estimated to be large.
const ALL_OF_A: &str = "max(a.l_comment), max(a.l_shipinstruct), max(a.l_shipmode), max(a.l_returnflag), max(a.l_linestatus), \
                        sum(a.l_quantity), sum(a.l_extendedprice), sum(a.l_discount), sum(a.l_tax), max(a.l_shipdate), \
                        max(a.l_commitdate), max(a.l_receiptdate), max(a.l_suppkey), max(a.l_linenumber), max(a.l_orderkey)";

/// A build side of which nobody could know that it is this small.
const SMALL_BUILD: &str = "(SELECT * FROM lineitem WHERE l_comment LIKE '%ironic%' AND l_comment LIKE '%even%' AND \
                           l_comment LIKE '%the%' AND l_quantity * 7 = 14)";

#[tokio::test(flavor = "multi_thread")]
async fn a_join_whose_build_side_turns_out_small_becomes_a_broadcast() {
    let (cloud, oracle) = one_at_a_time(&[]).await;
    let client = adaptive(&cloud.client);
    for sql in [
        format!(
            "SELECT count(*), {ALL_OF_A}, max(b.l_comment), sum(b.l_tax) FROM {SMALL_BUILD} a JOIN lineitem b ON a.l_partkey = b.l_partkey"
        ),
        format!(
            "SELECT count(*), {ALL_OF_A}, max(b.l_comment) FROM lineitem b LEFT JOIN {SMALL_BUILD} a ON a.l_partkey = b.l_partkey"
        ),
    ] {
        equals_the_oracle(&client, &oracle, &sql).await;
        let text = analyzed(&client, &sql).await;
        assert!(
            text.contains("did not run: an input turned out small or empty"),
            "{text}"
        );
        assert!(text.contains("HashJoinExec: mode=CollectLeft"), "{text}");
        assert!(text.contains("Input 0: BROADCAST"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_join_must_stay_its_small_build_side_filters_the_other() {
    let (cloud, oracle) = one_at_a_time(&[]).await;
    let client = adaptive(&cloud.client);
    let sql = format!(
        "SELECT b.l_partkey, count(*), max(b.l_comment), {ALL_OF_A} FROM {SMALL_BUILD} a JOIN lineitem b \
         ON a.l_partkey = b.l_partkey GROUP BY b.l_partkey"
    );
    equals_the_oracle(&client, &oracle, &sql).await;
    let text = analyzed(&client, &sql).await;
    assert!(text.contains("join_type=RightSemi"), "{text}");
}

/// What needs rows of a build side that has none is not run: neither the other side's scan, nor what that reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_turns_out_empty_is_dropped() {
    let (cloud, oracle) = one_at_a_time(&[]).await;
    let client = adaptive(&cloud.client);
    let nothing = SMALL_BUILD.replace("= 14", "= 15");
    for (sql, without) in [
        (
            format!(
                "SELECT count(*), {ALL_OF_A}, max(b.l_comment), sum(b.l_tax) FROM {nothing} a JOIN lineitem b ON a.l_partkey = b.l_partkey"
            ),
            true,
        ),
        (
            format!(
                "SELECT b.l_partkey, max(b.l_comment), sum(b.l_tax), {ALL_OF_A} FROM {nothing} a JOIN lineitem b \
                 ON a.l_partkey = b.l_partkey GROUP BY b.l_partkey"
            ),
            true,
        ),
        // Its rows are wanted whatever the other side has.
        (
            format!(
                "SELECT count(*), {ALL_OF_A}, max(b.l_comment) FROM lineitem b LEFT JOIN {nothing} a ON a.l_partkey = b.l_partkey"
            ),
            false,
        ),
    ] {
        equals_the_oracle(&client, &oracle, &sql).await;
        let text = analyzed(&client, &sql).await;
        assert_eq!(text.contains("NoRowsExec"), without, "{text}");
        assert!(text.contains("did not run"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_runs_no_more_tasks_than_it_needs() {
    let folder = tempfile::tempdir().expect("a folder");
    let oracle = oracle::context(&support::files(), 2).await;
    for file in 0..100 {
        let sql = format!("SELECT * FROM lineitem WHERE l_orderkey % 100 = {file} LIMIT 50");
        write(&oracle, &sql, &folder.path().join(format!("many/{file:02}.parquet"))).await;
    }
    let mount = format!("files={}", folder.path().display());
    let cloud = support::cloud(&["--mount", &mount]).await;
    let sql = format!("CREATE EXTERNAL TABLE {SCHEMA}.many STORED AS PARQUET LOCATION 's3://files/many/'");
    cloud.client.query(&sql).await.expect("created");
    let forced = support::forced(cloud.client.clone(), 1).with("target_task_bytes", "1kB");
    let cases = [
        (&cloud.client, "SELECT * FROM many LIMIT 10", 2),
        (&forced, "SELECT * FROM many LIMIT 10", 2),
        (
            &forced,
            "SELECT l_orderkey FROM many WHERE l_quantity * 2 > 4 LIMIT 10",
            3,
        ),
    ];
    for (client, sql, most) in cases {
        let before = cloud.invocations().await;
        let answer = client.query(sql).await.expect("ten rows");
        assert_eq!(answer.table.rows.len(), 10, "{sql}");
        let invocations = cloud.invocations().await - before;
        assert!(invocations <= most, "{sql}: {invocations} invocations");
    }
    let text = analyzed(&forced, cases[2].1).await;
    assert!(text.contains(" not needed"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_folders_opens_no_other_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let oracle = oracle::context(&support::files(), 2).await;
    for year in 1992..=1998 {
        let sql = format!("SELECT o_orderkey, o_comment FROM orders WHERE date_part('year', o_orderdate) = {year}");
        write(&oracle, &sql, &folder.path().join(format!("year={year}/part.parquet"))).await;
    }
    let size = std::fs::metadata(folder.path().join("year=1994/part.parquet"))
        .expect("a file")
        .len();
    let mount = format!("years={}", folder.path().display());
    let cloud = support::cloud(&["--mount", &mount]).await;
    let sql =
        format!("CREATE EXTERNAL TABLE {SCHEMA}.years STORED AS PARQUET PARTITIONED BY (year) LOCATION 's3://years/'");
    cloud.client.query(&sql).await.expect("created");
    let gets = async || {
        let counts = cloud.counts().await;
        let folders = counts["s3_prefixes"]["years"]
            .as_object()
            .expect("folders by name")
            .clone();
        let opened = folders
            .iter()
            .map(|(folder, kinds)| (folder.clone(), kinds["GET"]["2xx"].as_u64().unwrap_or(0)));
        opened.collect::<std::collections::BTreeMap<String, u64>>()
    };
    let before = gets().await;
    let answer = cloud
        .client
        .query("SELECT count(*), max(o_comment) FROM years WHERE year = 1994")
        .await
        .expect("a row");
    let after = gets().await;
    let opened: Vec<&String> = after
        .keys()
        .filter(|folder| after.get(*folder) != before.get(*folder))
        .collect();
    assert_eq!(opened, ["year%3D1994"], "as it travels in the path");
    let read = answer.stats["mayfly"]["s3BytesRead"].as_u64().expect("a count");
    assert!(read <= size + 100_000, "{read} bytes of a file of {size}");
}
