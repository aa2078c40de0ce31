//! The command line, as scripts and people call it.

use crate::support;
use mayfly_end_to_end::server::{binary, descendants, is_alive, signal};
use nix::sys::signal::Signal;
use std::process::{Command, Stdio};
use std::time::Duration;

fn mayfly(arguments: &[&str]) -> std::process::Output {
    Command::new(binary())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("mayfly runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn query_prints_data_alone_on_stdout() {
    let cloud = support::cloud(&[]).await;
    let run = |format: &str| {
        let sql = "SELECT r_regionkey, r_name, NULL AS nothing FROM region ORDER BY 1 LIMIT 2";
        let output = mayfly(&[
            "query",
            "--server",
            &cloud.server.url,
            "--schema",
            "tpch",
            "--format",
            format,
            "-c",
            sql,
        ]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(run("csv"), "r_regionkey,r_name,nothing\n0,AFRICA,\n1,AMERICA,\n");
    let json: serde_json::Value = serde_json::from_str(&run("json")).expect("it is JSON");
    assert_eq!(
        json[1],
        serde_json::json!({"r_regionkey": 1, "r_name": "AMERICA", "nothing": null})
    );
    assert!(run("table").contains("AMERICA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_exits_with_1_and_says_where() {
    let cloud = support::cloud(&[]).await;
    let output = mayfly(&[
        "query",
        "--server",
        &cloud.server.url,
        "--schema",
        "tpch",
        "-c",
        "SELECT r_nam FROM region",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let message = text(&output.stderr);
    for part in ["1:8", "r_nam", "r_name", "COLUMN_NOT_FOUND"] {
        assert!(message.contains(part), "{part} is missing in {message}");
    }
    assert_eq!(mayfly(&["query", "--nosuch"]).status.code(), Some(2));
    assert_eq!(
        mayfly(&["query", "--server", "http://127.0.0.1:1", "-c", "SELECT 1"])
            .status
            .code(),
        Some(3)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_write_is_taken() {
    let cloud = support::cloud(&[]).await;
    let address = cloud.server.url.trim_start_matches("http://");
    let run = |arguments: &[&str]| {
        mayfly(
            &[
                &arguments[..1],
                &["--server", address, "--schema", "tpch"],
                &arguments[1..],
            ]
            .concat(),
        )
    };
    let output = run(&["query", "-c", "-- note\nSELECT 1 AS one"]);
    assert_eq!(text(&output.stdout), "one\n1\n", "{}", text(&output.stderr));
    let plan = run(&[
        "query",
        "--format",
        "table",
        "-c",
        "EXPLAIN (TYPE DISTRIBUTED) SELECT max(n_name) FROM nation WHERE n_regionkey = 1",
    ]);
    let plan = text(&plan.stdout);
    assert!(plan.starts_with("Fragment") && !plan.contains("\\n"), "{plan}");
    let ran = run(&[
        "explain",
        "--analyze",
        "-c",
        "SELECT max(n_name) FROM nation WHERE n_regionkey = 1",
    ]);
    assert!(text(&ran.stdout).contains("$0."), "{}", text(&ran.stdout));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.sql");
    std::fs::write(&file, "SELECT 1;\n\nSELECT 1,\n  nosuch FROM nation;\n").expect("writable");
    let output = run(&["query", "-f", file.to_str().expect("the path is UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("report.sql:4:3: "),
        "{}",
        text(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_one_clear_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let output = mayfly(&["serve", "--local", "--port", &port]);
    let message = text(&output.stderr);
    assert!(!output.status.success());
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(message.contains(&port) && message.contains("--port"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn load_then_query_without_schema_then_restart() {
    let data = tempfile::tempdir().expect("a temp folder");
    let folder = data.path().to_str().expect("the path is UTF-8");
    for round in 0..2 {
        let server = mayfly_end_to_end::server::Server::start(&["--data", folder]);
        let load = mayfly(&["load", "tpch", "--scale", "0.01", "--server", &server.url]);
        assert!(load.status.success(), "round {round}: {}", text(&load.stderr));
        let sql = "SELECT count(*) FROM tpch_sf0_01.lineitem";
        let output = mayfly(&["query", "--server", &server.url, "--format", "csv-noheader", "-c", sql]);
        assert_eq!(
            text(&output.stdout),
            "60175\n",
            "round {round}: {}",
            text(&output.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_c_cancels_the_query() {
    let cloud = support::cloud(&[]).await;
    let sql =
        "SELECT count(*) FROM lineitem a, lineitem b WHERE a.l_orderkey < b.l_suppkey AND a.l_comment < b.l_comment";
    let child = Command::new(binary())
        .args(["query", "--server", &cloud.server.url, "--schema", "tpch", "-c", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mayfly runs");
    tokio::time::sleep(Duration::from_secs(2)).await;
    signal(child.id(), Signal::SIGINT);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let queries = cloud.client.get_json(&format!("{}/v1/query", cloud.server.url)).await;
    let states: Vec<&str> = queries
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|query| query["state"].as_str())
        .collect();
    assert!(!states.contains(&"RUNNING"), "{states:?}");
}

#[test]
fn demo_answers_and_leaves_nothing() {
    let temp = tempfile::tempdir().expect("a temp folder");
    let mut child = Command::new(binary())
        .args(["demo", "--scale", "0.01", "--queries", "1,3,18"])
        .env("TMPDIR", temp.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mayfly runs");
    let mut children = Vec::new();
    while child.try_wait().expect("we are its parent").is_none() {
        children.extend(descendants(child.id()));
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().expect("it ended");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    for part in ["l_returnflag", "HASH", "$0.", "total"] {
        assert!(
            shown.to_lowercase().contains(&part.to_lowercase()),
            "{part} is missing in\n{shown}"
        );
    }
    assert!(!children.is_empty(), "executors are processes");
    assert!(children.iter().all(|pid| !is_alive(*pid)), "a child lives on");
    let left: Vec<_> = std::fs::read_dir(temp.path()).expect("readable").collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
