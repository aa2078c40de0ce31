//! Joins that do not fit: one of four times a task's memory ends with the right rows, one that no way of joining can hold ends soon, with what
//! to change. Caps stand for sizes: at 1,769 MB the same is `mayfly-bench memory`.

use crate::support::{self, Cloud};
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::oracle;

/// All of both sides, one task, so that nothing but the task's memory decides.
const JOIN: &str = "SELECT count(*), max(a.l_comment), max(b.l_comment), sum(a.l_extendedprice - b.l_extendedprice) \
                    FROM lineitem a JOIN lineitem b ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber";

fn one_task(cloud: &Cloud, memory: &str) -> Client {
    let client = cloud.client.clone();
    let client = client.with("target_task_bytes", "1GB").with("target_partitions", 1);
    client.with("max_task_memory", memory)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_of_four_times_the_memory_ends_with_the_right_rows() {
    let cloud = support::cloud(&[]).await;
    let client = one_task(&cloud, "16MB");
    let expected = oracle::answer(&oracle::context(&cloud.files, 2).await, JOIN).await;
    let answer = client.query(JOIN).await.expect("joined");
    assert_eq!(answer.table.difference(&expected), None);
    let stages = cloud.info(&answer.query_id).await["stages"].clone();
    let spilled: u64 = stages
        .as_array()
        .expect("stages")
        .iter()
        .map(|stage| stage["spilled_bytes"].as_u64().expect("a count"))
        .sum();
    assert!(spilled > 0, "the join fits after all: {stages}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_size_holds_fails_soon_and_says_what_to_change() {
    let cloud = support::cloud(&[]).await;
    let client = one_task(&cloud, "1MB");
    // One list of all rows: nothing of it can be spilled.
    let sql = "SELECT length(string_agg(l_comment, ',')) FROM lineitem";
    let before = cloud.invocations().await;
    let failure = client.query(sql).await.expect_err("40 times what there is");
    assert_eq!(failure.name, "EXCEEDED_LOCAL_MEMORY_LIMIT", "{}", failure.message);
    assert!(failure.message.contains("max_task_memory"), "{}", failure.message);
    let attempts = cloud.invocations().await - before;
    assert!(attempts <= 3, "{attempts} attempts are more than two escalations");
}

/// Where the session's cap is what a task ran into, no larger function is tried, and the error names the cap and how much it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_cap_of_the_session_leads_to_no_larger_function() {
    let cloud = support::cloud(&[]).await;
    let one = cloud.client.clone().with("target_task_bytes", "1GB");
    let one = one.with("target_partitions", 1);
    for (property, value, cap, sql) in [
        (
            "max_task_memory",
            "1MB",
            "1 MB",
            "SELECT length(string_agg(l_comment, ',')) FROM lineitem",
        ),
        (
            "max_task_memory",
            "2MB",
            "2 MB",
            "SELECT max(length(x)) FROM (SELECT string_agg(l_comment || l_shipinstruct, '') AS x FROM lineitem)",
        ),
        (
            "query_max_memory",
            "2MB",
            "2 MB",
            "SELECT count(DISTINCT x) FROM (SELECT array_agg(l_comment) AS x FROM lineitem)",
        ),
        (
            "query_max_memory_per_node",
            "3MB",
            "3 MB",
            "SELECT max(x) FROM (SELECT string_agg(l_comment, ';') AS x FROM lineitem)",
        ),
    ] {
        let failure = one.clone().with(property, value).query(sql).await.expect_err(sql);
        assert_eq!(
            failure.name, "EXCEEDED_LOCAL_MEMORY_LIMIT",
            "{sql}: {}",
            failure.message
        );
        let named = format!("more memory than max_task_memory allows ({cap})");
        assert!(failure.message.contains(&named), "{sql}: {}", failure.message);
        assert!(
            failure.message.contains("raise the session property"),
            "{}",
            failure.message
        );
    }
    let functions = cloud.counts().await["lambda"]["functions"].clone();
    for larger in ["mayfly-executor-3538", "mayfly-executor-7076", "mayfly-executor-10240"] {
        let invoked = functions[larger]["invocations"].as_u64().unwrap_or(0);
        assert_eq!(invoked, 0, "{larger}: {functions}");
    }
}
