//! What a session may limit, and that a refused query spends nothing.

use crate::support;

const SQL: &str = "SELECT l_orderkey, count(*) FROM lineitem GROUP BY l_orderkey";

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_ends_a_query_with_its_own_code() {
    let cloud = support::cloud(&[]).await;
    let forced = support::forced(cloud.client.clone(), 1);
    let before = cloud.invocations().await;
    let refused = [
        ("max_scan_bytes", "100kB", "EXCEEDED_SCAN_LIMIT", "would read"),
        ("max_stages", "1", "QUERY_HAS_TOO_MANY_STAGES", "takes 2 stages"),
        (
            "max_tasks",
            "2",
            "MAYFLY_TOO_MANY_TASKS",
            "more than the 2 that max_tasks allows",
        ),
    ];
    for (property, value, code, message) in refused {
        let failure = forced
            .clone()
            .with(property, value)
            .query(SQL)
            .await
            .expect_err(property);
        assert_eq!(failure.name, code, "{}", failure.message);
        assert!(failure.message.contains(message), "{}", failure.message);
        assert!(failure.message.contains(property), "{}", failure.message);
    }
    assert_eq!(
        cloud.invocations().await,
        before,
        "what is refused by its plan is not run"
    );

    let many = forced
        .clone()
        .with("max_result_rows", 1_000)
        .query(SQL)
        .await
        .expect_err("too many rows");
    assert_eq!(many.name, "MAYFLY_EXCEEDED_ROW_LIMIT", "{}", many.message);
    let slow = "SELECT count(*) FROM lineitem a JOIN lineitem b ON a.l_orderkey < b.l_orderkey";
    let slow = cloud
        .client
        .clone()
        .with("max_run_time", "2s")
        .query(slow)
        .await
        .expect_err("too slow");
    assert_eq!(slow.name, "EXCEEDED_TIME_LIMIT", "{}", slow.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_within_its_limits_is_answered() {
    let cloud = support::cloud(&[]).await;
    let limits = [
        ("max_scan_bytes", "1GB"),
        ("max_stages", "9"),
        ("max_tasks", "500"),
        ("max_result_rows", "7"),
        ("max_run_time", "5m"),
    ];
    let client = limits
        .iter()
        .fold(support::forced(cloud.client.clone(), 1), |client, (key, value)| {
            client.with(key, value)
        });
    let answer = client
        .query("SELECT l_linenumber, count(*) FROM lineitem GROUP BY 1")
        .await
        .expect("seven rows");
    assert_eq!(answer.table.rows.len(), 7);
    let eight = "SELECT l_linenumber, count(*) FROM lineitem GROUP BY 1 UNION ALL SELECT 0, 0";
    assert_eq!(
        client.query(eight).await.expect_err("eight rows").name,
        "MAYFLY_EXCEEDED_ROW_LIMIT"
    );
}
