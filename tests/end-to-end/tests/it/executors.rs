//! Executors that die or are told to stop: the answer stays right, the fleet stays bounded, nothing stays behind.

use crate::support::{self, Cloud};
use mayfly_end_to_end::server::{STOP_WAIT, Server, descendants, is_alive, signal};
use mayfly_end_to_end::{oracle, tpch};
use nix::sys::signal::Signal;
use std::time::Duration;

fn busy_pids(environments: &[serde_json::Value]) -> Vec<u32> {
    let busy = environments.iter().filter(|environment| environment["state"] == "busy");
    busy.filter_map(|environment| u32::try_from(environment["pid"].as_u64()?).ok())
        .collect()
}

/// Kills the first executor that is seen at work.
async fn kill_one(cloud: &Cloud) {
    for _ in 0..5_000 {
        if let Some(pid) = busy_pids(&cloud.environments().await).first() {
            signal(*pid, Signal::SIGKILL);
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("no executor was seen at work");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_killed_in_the_middle_of_a_task_changes_nothing() {
    let cloud = support::cloud(&[]).await;
    let client = support::forced(cloud.client.clone(), 1);
    let sql = tpch::query(9);
    let expected = oracle::answer(&oracle::context(&cloud.files, 2).await, &sql).await;
    for _ in 0..3 {
        let (answer, ()) = tokio::join!(client.query(&sql), kill_one(&cloud));
        let answer = answer.expect("the query survives");
        assert_eq!(answer.table.difference(&expected), None);
        let failed: u64 = cloud.info(&answer.query_id).await["stages"]
            .as_array()
            .expect("a query has stages")
            .iter()
            .map(|stage| stage["attempts_failed"].as_u64().expect("a count"))
            .sum();
        assert!(failed >= 1, "the killed attempt must be seen");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_launches() {
    let cloud = support::cloud(&["--concurrency", "2"]).await;
    let client = cloud.client.clone().with("target_task_bytes", "32kB");
    let page = client.submit(&tpch::query(9)).await;
    let next = page["nextUri"].as_str().expect("it has begun");
    let page = client.get_json(next).await;
    while busy_pids(&cloud.environments().await).is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    client.cancel(&page).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let after = cloud.invocations().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(cloud.invocations().await, after);
    assert!(after >= 1);
    assert_eq!(
        client
            .query("SELECT count(*) FROM region")
            .await
            .expect("the server lives on")
            .table
            .rows,
        [[Some("5".to_owned())]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_leaves_no_process() {
    let mut cloud = support::cloud(&[]).await;
    support::forced(cloud.client.clone(), 1)
        .query(&tpch::query(3))
        .await
        .expect("answered");
    let children = descendants(cloud.server.pid());
    assert!(!children.is_empty(), "executors are processes");
    let took = cloud.server.stop();
    assert!(took <= STOP_WAIT, "took {took:?}");
    assert!(children.iter().all(|pid| !is_alive(*pid)), "a child lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_takes_its_children_along() {
    let server = Server::start(&[]);
    let client = mayfly_end_to_end::client::Client::new(&server.url, "default");
    drop(client.query("SHOW TABLES").await.expect("answered"));
    let children = descendants(server.pid());
    signal(server.pid(), Signal::SIGKILL);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(children.iter().all(|pid| !is_alive(*pid)), "a child lives on");
}
