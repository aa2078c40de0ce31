//! EXPLAIN ANALYZE: its figures are the query's own, and its rows are the plan's.

use crate::support;
use mayfly_end_to_end::client::Client;

const SQL: &str = "SELECT o_orderpriority, count(*) FROM orders JOIN lineitem ON l_orderkey = o_orderkey \
                   WHERE l_shipdate < DATE '1995-01-01' GROUP BY o_orderpriority";

async fn text(client: &Client, sql: &str) -> String {
    let answer = client
        .query(sql)
        .await
        .unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
    assert_eq!(answer.table.columns, ["Query Plan"]);
    let rows = answer.table.rows.into_iter().flatten().flatten();
    rows.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn its_figures_are_those_of_the_query() {
    let cloud = support::cloud(&[]).await;
    let forced = support::forced(cloud.client.clone(), 1);
    let rows = cloud
        .client
        .query("SELECT count(*) FROM lineitem")
        .await
        .expect("a count")
        .table
        .rows;
    let scanned: u64 = rows[0][0].as_ref().expect("a number").parse().expect("a number");
    let before = cloud.invocations().await;
    let text = text(&forced, &format!("EXPLAIN ANALYZE {SQL}")).await;
    let invocations = cloud.invocations().await - before;
    let (head, _) = text.split_once('\n').expect("lines");
    assert!(
        head.contains(&format!(" {invocations} invocations")),
        "{invocations} in\n{text}"
    );
    let thousands = format!("Rows: {},{:03} scanned", scanned / 1_000, scanned % 1_000);
    assert!(text.contains(&thousands), "{thousands} in\n{text}");
    assert!(text.contains(", 5 out"), "{text}");
    for figure in [
        "Scan: ",
        "row groups in",
        "Time: ",
        "read ",
        "compute ",
        "write ",
        "wait ",
        "Skew: ",
        "Memory: ",
        "spilled",
        "GET",
        "$",
    ] {
        assert!(text.contains(figure), "{figure} in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_in_the_control_plane_says_so() {
    let cloud = support::cloud(&[]).await;
    let text = text(&cloud.client, "EXPLAIN ANALYZE SELECT 1").await;
    assert!(text.contains("Answered in the control plane"), "{text}");
    let failure = cloud
        .client
        .query("EXPLAIN ANALYZE SELECT 1/(o_orderkey - o_orderkey) FROM orders")
        .await;
    assert_eq!(failure.expect_err("as the query").name, "DIVISION_BY_ZERO");
}
