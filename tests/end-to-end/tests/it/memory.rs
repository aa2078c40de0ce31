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
