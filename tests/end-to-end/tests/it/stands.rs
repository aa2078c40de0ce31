//! Bad luck that a server outlives: platforms that are not reached, clocks that jump, queries that never end, and what the dead leave behind.

use crate::support::{self, SCHEMA};
use mayfly_end_to_end::client::{Answer, Client, QueryFailure};
use mayfly_end_to_end::clock::Clock;
use mayfly_end_to_end::elsewhere;
use mayfly_end_to_end::gate::Gate;
use mayfly_end_to_end::server::{Executors, Server};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Many tasks, in two stages.
const GROUPS: &str = "SELECT l_returnflag, count(*) FROM lineitem GROUP BY l_returnflag";
const SMALL: &str = "SELECT n_regionkey, count(*) FROM nation GROUP BY n_regionkey";
/// Goes on until it is told to stop, in one task.
const ENDLESS: &str = "SELECT count(*) FROM lineitem a CROSS JOIN lineitem b CROSS JOIN orders c WHERE a.l_tax + b.l_tax > c.o_totalprice";

async fn at_once(client: &Client, sql: &'static str, times: usize) -> Vec<Result<Answer, QueryFailure>> {
    let running = (0..times).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.query(sql).await })
    });
    let running: Vec<_> = running.collect();
    let mut answers = Vec::new();
    for running in running {
        answers.push(running.await.expect("a client does not panic"));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_go_on_after_lambda_was_out_of_reach() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = support::cloud(&[]).await;
    let mut gate = Gate::before(&cloud.server.lambda).await;
    let server = cloud.server.beside_lambda(&gate.url, &[]);
    let client = support::forced(Client::new(&server.url, SCHEMA), 1);
    client.query(GROUPS).await.expect("answered");
    gate.shut().await;
    let asked = client.clone();
    let running = tokio::spawn(async move { at_once(&asked, GROUPS, 4).await });
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = cloud.invocations().await;
    gate.open();
    for answer in running.await.expect("they end") {
        let answer = answer.unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(answer.table.rows.len(), 3);
        // What never began is on no bill.
        assert!(
            answer.stats["mayfly"]["costUsd"].as_f64().expect("a price") < 0.001,
            "{}",
            answer.stats
        );
    }
    assert!(cloud.invocations().await > before, "they ran behind the gate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lambda_that_stays_out_of_reach_is_named_and_costs_nothing() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = support::cloud(&[]).await;
    let mut gate = Gate::before(&cloud.server.lambda).await;
    let server = cloud.server.beside_lambda(&gate.url, &[]);
    gate.shut().await;
    let client = Client::new(&server.url, SCHEMA).with("max_run_time", "5s");
    let first = client.submit(GROUPS).await;
    let last = client.follow(first, |_| {}).await;
    let (error, cost) = (&last["error"], &last["stats"]["mayfly"]);
    assert_eq!(error["errorName"], "EXCEEDED_TIME_LIMIT", "{error}");
    assert!(
        !error["message"].as_str().expect("a message").contains("part-"),
        "no file is blamed: {error}"
    );
    assert_eq!(cost["invocations"], 0, "{cost}");
}

/// What a balancer hears, once it hears it: what was found counts for some seconds.
async fn says(client: &Client, server: &Server, expected: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let state = client.get_json(&format!("{}/v1/info/state", server.url)).await;
        if state == expected {
            return;
        }
        assert!(Instant::now() < end, "{state} and not {expected}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_whether_it_reaches_s3() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = support::cloud(&[]).await;
    let mut gate = Gate::before(&cloud.server.s3).await;
    let server = cloud.server.beside(&gate.url, &[]);
    let client = Client::new(&server.url, SCHEMA);
    says(&client, &server, "ACTIVE").await;
    gate.shut().await;
    says(&client, &server, "INACTIVE").await;
    gate.open();
    says(&client, &server, "ACTIVE").await;
    let faults = format!("{}/_emulator/faults", cloud.server.lambda);
    for fault in ["slow_down", "internal_error", "reset"] {
        let rule = json!({"s3": [{"fault": fault, "probability": 1.0}]});
        client.put_json(&faults, &rule).await;
        says(&client, &server, "INACTIVE").await;
        client.put_json(&faults, &json!({})).await;
        says(&client, &server, "ACTIVE").await;
    }
    assert_eq!(client.query("SELECT 1").await.expect("it goes on").table.rows.len(), 1);
}

/// An hour ahead for a moment, ten seconds ahead and back, ten seconds behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_that_jumps_breaks_no_deadline() {
    if elsewhere::is_chosen() {
        return;
    }
    let (clock, cloud) = (Clock::new(), support::cloud(&[]).await);
    // The cloud's clock is right.
    let server = cloud.server.beside_in(&cloud.server.lambda, &[], &clock.environment());
    let client = support::forced(Client::new(&server.url, SCHEMA), 1);
    client.query(GROUPS).await.expect("answered");
    for ahead_s in [3_600, 10, -10, -7_200] {
        clock.set(ahead_s * 1_000);
        // Requests that are signed in another hour are refused; what matters is what comes after.
        let during = client.query(GROUPS).await;
        assert!(ahead_s.abs() > 60 || during.is_ok(), "{ahead_s} s: {during:?}");
        clock.set(0);
        let short = client.clone().with("max_run_time", "20s");
        for answer in at_once(&short, GROUPS, 3).await {
            let answer = answer.unwrap_or_else(|failure| panic!("after {ahead_s} s: {failure:?}"));
            assert_eq!(answer.table.rows.len(), 3);
        }
    }
}

/// Throttled invocations come again after a pause, also while the clock runs behind.
#[tokio::test(flavor = "multi_thread")]
async fn retries_go_on_while_the_wall_clock_stands() {
    let clock = Clock::new();
    let environment = clock.environment();
    let cloud = support::cloud_in(&[], &environment).await;
    let client = support::forced(cloud.client.clone(), 1);
    let faults = format!("{}/_emulator/faults", cloud.server.lambda);
    let throttle = json!({"lambda": [{"fault": "throttle", "probability": 0.5}]});
    client.put_json(&faults, &throttle).await;
    clock.set(20_000);
    client.query(GROUPS).await.expect("answered");
    clock.set(-20_000);
    let start = Instant::now();
    client.query(GROUPS).await.expect("answered");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    client.put_json(&faults, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_at_the_start_is_named() {
    if elsewhere::is_chosen() {
        return;
    }
    let server = Server::start(&[]);
    let clock = Clock::new();
    for (ahead_s, words) in [(3_660, "1 h 1 min ahead of"), (-1_260, "21 min behind")] {
        clock.set(ahead_s * 1_000);
        let mut command = server.command_beside(&server.s3, &server.lambda);
        let refused = command.envs(clock.environment()).output().expect("it starts");
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && text.contains("clock is") && text.contains(words),
            "{text}"
        );
    }
    clock.set(70_000);
    let mut command = server.command_beside(&server.s3, &server.lambda);
    let mut child = command.envs(clock.environment()).spawn().expect("it starts");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(
        child.try_wait().expect("we are its parent").is_none(),
        "70 s are no reason"
    );
    child.kill().expect("it runs");
    child.wait().expect("we are its parent");
}

/// Polls a query until it runs, and goes on polling in the background.
async fn begin(client: &Client, sql: &str) -> Value {
    let mut page = client.submit(sql).await;
    while page["stats"]["state"] != "RUNNING" {
        let next = page["nextUri"].as_str().expect("it does not end").to_owned();
        page = client.get_json(&next).await;
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn small_queries_end_soon_beside_endless_ones() {
    let cloud = support::cloud(&["--concurrency", "2"]).await;
    let endless = [begin(&cloud.client, ENDLESS).await, begin(&cloud.client, ENDLESS).await];
    let start = Instant::now();
    for answer in at_once(&cloud.client, SMALL, 3).await {
        assert_eq!(answer.expect("answered").table.rows.len(), 5);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    // A third endless one has a short turn, and no second.
    let third = begin(&cloud.client, ENDLESS).await;
    let start = Instant::now();
    for _ in 0..3 {
        cloud.client.query(SMALL).await.expect("answered");
    }
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
    let info = cloud.info(third["id"].as_str().expect("an id")).await;
    assert_eq!(info["state"], "RUNNING", "{info}");
    for page in endless.iter().chain([&third]) {
        cloud.client.cancel(page).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_plans_go_with_their_queries_and_the_rest_by_age() {
    let cloud = support::cloud(&[]).await;
    let numbers: Vec<String> = (0..60_000).map(|number| (number * 7).to_string()).collect();
    let numbers = numbers.join(",");
    let store = cloud.store().await;
    assert!(
        store.has_lifecycle("mayfly").await.expect("asked"),
        "what the dead leave ends by age"
    );
    for sql in [
        format!("SELECT count(*) FROM orders WHERE o_orderkey IN ({numbers})"),
        format!("SELECT o_orderpriority, count(*) FROM orders WHERE o_orderkey NOT IN ({numbers}) GROUP BY 1"),
        format!("SELECT 1 / (o_custkey - o_custkey) FROM orders WHERE o_orderkey IN ({numbers})"),
    ] {
        let answer = cloud.client.query(&sql).await;
        assert_eq!(answer.is_err(), sql.contains("1 /"), "{answer:?}");
    }
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let left = store.list("mayfly", "p/").await.expect("listed");
        if left.is_empty() {
            break;
        }
        assert!(Instant::now() < end, "left: {left:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).expect("a folder").flatten();
    entries.map(|entry| entry.path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_of_a_server_that_was_killed_go_when_the_next_one_starts() {
    let parent = tempfile::tempdir().expect("a folder");
    use std::os::unix::fs::PermissionsExt;
    // Executors are another user's.
    std::fs::set_permissions(parent.path(), std::fs::Permissions::from_mode(0o755)).expect("ours");
    let environment = [("TMPDIR", parent.path().to_owned())];
    let start = || Server::start_in(Executors::of_suite(), &[], &environment);
    let mut killed = start();
    let living = start();
    assert_eq!(folders(parent.path()).len(), 2);
    killed.kill();
    let before = folders(parent.path());
    let next = start();
    let after = folders(parent.path());
    let kept = before.iter().filter(|folder| after.contains(folder)).count();
    assert_eq!((kept, after.len()), (1, 2), "{before:?} then {after:?}");
    let client = Client::new(&living.url, "default");
    assert_eq!(client.query("SELECT 1").await.expect("it lives").table.rows.len(), 1);
    drop((living, next));
    assert_eq!(folders(parent.path()), Vec::<PathBuf>::new());
}
