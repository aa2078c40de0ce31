//! What a query is seen to do, and to cost, while attempts at its tasks are out.

use crate::support::{self, Cloud};
use mayfly_end_to_end::server::{binary, signal};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One task that takes longer than any test waits.
const LONG: &str =
    "SELECT count(*) FROM lineitem a, lineitem b WHERE a.l_orderkey < b.l_suppkey AND a.l_comment < b.l_comment";

fn cost(stats: &Value) -> f64 {
    stats["mayfly"]["costUsd"].as_f64().unwrap_or_default()
}

fn gb_s(stats: &Value) -> f64 {
    stats["mayfly"]["lambdaGbS"].as_f64().unwrap_or_default()
}

/// The states that a query had, page by page, and the statistics of each.
async fn watch(cloud: &Cloud, sql: &str, pages: usize) -> (Value, Vec<Value>) {
    let mut page = cloud.client.submit(sql).await;
    let mut seen = Vec::new();
    while seen.len() < pages && page["stats"]["state"] != "FAILED" {
        let next = page["nextUri"].as_str().expect("it runs for long");
        page = cloud.client.get_json(next).await;
        if page["stats"]["state"] == "RUNNING" {
            seen.push(page["stats"].clone());
        }
    }
    (page, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_one_task_is_running_and_its_cost_grows() {
    let cloud = support::cloud(&[]).await;
    let (page, seen) = watch(&cloud, LONG, 4).await;
    for pair in seen.windows(2) {
        assert!(gb_s(&pair[0]) < gb_s(&pair[1]), "{seen:?}");
        assert!(cost(&pair[0]) < cost(&pair[1]), "{seen:?}");
    }
    assert_eq!(seen[0]["runningSplits"], 1, "{}", seen[0]);
    assert_eq!(seen[0]["mayfly"]["soFar"], true, "{}", seen[0]);
    cloud.client.cancel(&page).await;
    let last = cloud.client.follow(page, |_| ()).await;
    assert!(cost(&last["stats"]) >= cost(&seen[3]), "{last}");
    let query = last["id"].as_str().expect("it has an id");
    settles(
        &cloud,
        query,
        cost(&last["stats"]),
        last["stats"]["mayfly"]["soFar"] == true,
    )
    .await;
}

/// The query as the list of all has it.
async fn listed(cloud: &Cloud, query: &str) -> Value {
    let queries = cloud.client.get_json(&format!("{}/v1/query", cloud.server.url)).await;
    let mut queries = queries.as_array().cloned().unwrap_or_default().into_iter();
    queries.find(|listed| listed["queryId"] == query).expect("it is known")
}

/// In the end the figure stands without the mark; where it had none it is no less than it was.
async fn settles(cloud: &Cloud, query: &str, before: f64, was_so_far: bool) {
    for _ in 0..100 {
        let listed = listed(cloud, query).await;
        if listed["soFar"] != true {
            let now = listed["costUsd"].as_f64().expect("a price");
            assert!(now >= before || was_so_far, "{now} after {before}: {listed}");
            // What ran is billed: the attempt's seconds did not get lost with its end.
            assert!(now > before / 2.0, "{now} after {before}: {listed}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("attempts of {query} are out for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_c_shows_what_ran_until_then() {
    let cloud = support::cloud(&[]).await;
    let child = Command::new(binary())
        .args([
            "query",
            "--server",
            &cloud.server.url,
            "--schema",
            "tpch",
            "--bill",
            "-c",
            LONG,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mayfly runs");
    // Until the task runs for two seconds.
    for _ in 0..300 {
        let queries = cloud.client.get_json(&format!("{}/v1/query", cloud.server.url)).await;
        let longest = queries.as_array().into_iter().flatten();
        let runs = longest
            .filter_map(|query| query["cost"]["lambdaGbS"].as_f64())
            .any(|gb_s| gb_s > 3.5);
        if runs {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    signal(child.id(), Signal::SIGINT);
    let output = child.wait_with_output().expect("it ends");
    let shown = String::from_utf8(output.stderr).expect("output is UTF-8");
    assert_eq!(output.status.code(), Some(130), "{shown}");
    assert!(shown.contains("canceled") && shown.contains("so far"), "{shown}");
    assert!(shown.contains("Lambda compute"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bill_of_a_failed_query_is_marked_while_others_run() {
    let cloud = support::cloud(&["--concurrency", "4"]).await;
    let output = Command::new(binary())
        .args(["query", "--server", &cloud.server.url, "--schema", "tpch", "--bill"])
        .args(["--set", "target_task_bytes=256kB", "--set", "target_partitions=1"])
        .args(["-c", crate::double_entry::ONE_FAILS])
        .stdin(Stdio::null())
        .output()
        .expect("mayfly runs");
    let shown = String::from_utf8(output.stderr).expect("output is UTF-8");
    assert!(shown.contains("DIVISION_BY_ZERO"), "{shown}");
    let line = shown.lines().find(|line| line.starts_with("failed · "));
    assert!(line.is_some_and(|line| line.ends_with(" so far")), "{shown}");
    assert!(shown.contains("so far: attempts that still run, and"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_is_what_it_says() {
    let cloud = support::cloud(&[]).await;
    let quick = cloud.client.clone().with("max_run_time", "1s");
    let answer = quick.query("SELECT count(*) FROM nation WHERE n_name > 'B'").await;
    assert!(answer.is_ok(), "{answer:?}");
    for (property, value) in [
        ("max_run_time", "3s"),
        ("query_max_execution_time", "3s"),
        ("query_max_run_time", "3s"),
    ] {
        let limited = cloud.client.clone().with(property, value);
        let started = Instant::now();
        let failure = limited.query(LONG).await.expect_err("it takes longer");
        assert!(started.elapsed() >= Duration::from_secs(3), "it ended before its time");
        assert_eq!(failure.name, "EXCEEDED_TIME_LIMIT", "{failure:?}");
        assert!(failure.message.contains(&format!("{property}={value}")), "{failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_trino_limit() {
    let cloud = support::cloud(&[]).await;
    let scan = cloud.client.clone().with("query_max_scan_physical_bytes", "100kB");
    let failure = scan
        .query("SELECT sum(l_quantity) FROM lineitem")
        .await
        .expect_err("it reads more");
    assert_eq!(failure.name, "EXCEEDED_SCAN_LIMIT", "{failure:?}");
    let memory = cloud.client.clone().with("query_max_memory", "3MB");
    let join =
        "SELECT count(*) FROM lineitem a JOIN lineitem b ON a.l_comment = b.l_comment AND a.l_orderkey <> b.l_orderkey";
    let failure = memory.query(join).await.expect_err("it holds more");
    assert!(failure.message.contains("max_task_memory"), "{failure:?}");
    let refused = cloud
        .client
        .clone()
        .with("query_max_cpu_time", "1h")
        .query("SELECT 1")
        .await;
    assert_eq!(refused.expect_err("nobody guards it").name, "NOT_SUPPORTED");
    let harmless = cloud.client.clone().with("join_distribution_type", "BROADCAST");
    assert!(harmless.query("SELECT 1").await.is_ok());
    let shown = cloud.client.query("SHOW SESSION").await.expect("shown").table;
    for name in [
        "max_run_time",
        "query_max_run_time",
        "query_max_scan_physical_bytes",
        "join_distribution_type",
    ] {
        assert!(shown.rows.iter().any(|row| row[0].as_deref() == Some(name)), "{name}");
    }
}
