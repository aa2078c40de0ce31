//! Coordinators that die, sleep, or are two: each accepted query ends once, with the right rows, and finished work is kept.

use crate::support::{self, Cloud, SCHEMA};
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::proxy::Proxy;
use mayfly_end_to_end::server::{Server, signal};
use mayfly_end_to_end::table::Table;
use mayfly_end_to_end::{elsewhere, oracle, tpch};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const LEASE: [&str; 2] = ["--lease", "2"];
const SLOTS: [&str; 2] = ["--concurrency", "4"];
const LEASE_S: Duration = Duration::from_secs(2);
/// Resumed this long after the lease is free, at the latest.
const RESUME_MAX: Duration = Duration::from_secs(2);
/// Goes on until it is told to stop.
const ENDLESS: &str =
    "SELECT count(*) FROM lineitem a CROSS JOIN lineitem b CROSS JOIN lineitem c WHERE a.l_tax + b.l_tax + c.l_tax > 1";
/// Finished tasks without an object: what the joins and the last stages make of their rows rides in reports, of which the journal is told only
/// when that is worth a PUT.
const AT_RISK_MAX: u64 = 48;
/// Invocations that a coordinator killed at a record had not written down: those in its four slots, and as many that ended meanwhile.
const UNSEEN_MAX: u64 = 8;
/// A join of three stages, three times: a forced stage has at most eight tasks, all together at least sixty.
const JOIN: &str = "SELECT o_orderpriority, count(*), sum(l_quantity), max(l_comment)
    FROM orders JOIN lineitem ON o_orderkey = l_orderkey GROUP BY o_orderpriority
    UNION ALL SELECT o_orderstatus, count(*), sum(l_tax), max(l_shipinstruct)
    FROM orders JOIN lineitem ON o_orderkey = l_orderkey GROUP BY o_orderstatus
    UNION ALL SELECT o_clerk, count(*), sum(l_discount), min(l_comment)
    FROM orders JOIN lineitem ON o_orderkey = l_orderkey WHERE l_partkey < 500 GROUP BY o_clerk";

/// The first server has the emulator, and coordinates too.
async fn world() -> Cloud {
    support::cloud(&[LEASE, SLOTS].concat()).await
}

fn forced(client: Client) -> Client {
    client.with("target_task_bytes", "16kB").with("target_partitions", 1)
}

/// Follows the pages wherever they are served: from another server's address on, once the first is gone.
async fn follow(client: &Client, first: Value, here: &str, there: &str) -> (Value, Vec<Value>) {
    let (mut page, mut rows) = (first, Vec::new());
    while let Some(next) = page["nextUri"].as_str().map(str::to_owned) {
        page = match client.try_get_json(&next).await {
            Some(page) => page,
            None => client.get_json(&next.replace(here, there)).await,
        };
        rows.extend(page["data"].as_array().cloned().unwrap_or_default());
    }
    (page, rows)
}

/// Runs the query at a server that is killed when `kill_at` says so; the rows that its client gets in the end.
struct Run {
    wall: Duration,
    records: usize,
    rows: Vec<Value>,
    last: Value,
}

async fn run(cloud: &Cloud, kill_at: Kill) -> Run {
    let pid = Arc::new(AtomicU32::new(0));
    let victim = pid.clone();
    let at_record = Box::new(move |record| {
        if kill_at == Kill::AtRecord(record) {
            signal(victim.load(Ordering::SeqCst), Signal::SIGKILL);
        }
    });
    let proxy = Proxy::start(&cloud.server.s3, at_record).await;
    let server = cloud.server.beside(&proxy.url, &[LEASE, SLOTS].concat());
    let client = forced(Client::new(&server.url, SCHEMA));
    // A first query, of one invocation and two records, warms caches, so that the runs are alike. Its records are not counted.
    let first = "SELECT n_name FROM nation WHERE n_nationkey = 3";
    client.query(first).await.expect("answered");
    let before = proxy.records();
    assert_eq!(pid.swap(server.pid(), Ordering::SeqCst), 0);
    let started = Instant::now();
    let first = client.submit(JOIN).await;
    if let Kill::After(pause) = kill_at {
        let pid = server.pid();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            signal(pid, Signal::SIGKILL);
        });
    }
    let (last, rows) = follow(&client, first, &server.url, &cloud.server.url).await;
    Run {
        wall: started.elapsed(),
        records: proxy.records() - before,
        rows,
        last,
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kill {
    Never,
    AtRecord(usize),
    After(Duration),
}

fn sorted(rows: &[Value]) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

/// After each record of its journal, and at moments between them.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_is_killed_is_replaced_and_its_work_is_kept() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = world().await;
    let context = oracle::context(&cloud.files, 2).await;
    let before = cloud.invocations().await;
    let clean = run(&cloud, Kill::Never).await;
    // One is the first query's.
    let tasks = cloud.invocations().await - before - 1;
    assert!(tasks >= 60, "{tasks} tasks");
    let expected = sorted(&clean.rows);
    assert_eq!(expected.len(), oracle::answer(&context, JOIN).await.rows.len());
    // The first query, before which nothing is killed, has two.
    let records = (2..2 + clean.records).map(Kill::AtRecord);
    let moments = [0.2, 0.5, 0.8].map(|share| Kill::After(clean.wall.mul_f64(share)));
    for kill in records.chain(moments) {
        let before = cloud.invocations().await;
        let run = run(&cloud, kill).await;
        assert!(run.last["error"].is_null(), "{kill:?}: {}", run.last);
        assert_eq!(sorted(&run.rows), expected, "{kill:?}");
        let most = LEASE_S + RESUME_MAX + clean.wall * 3;
        assert!(run.wall < most, "{kill:?} took {:?}, clean {:?}", run.wall, clean.wall);
        let invoked = cloud.invocations().await - before - 1;
        // Those in flight at the kill, those whose rows rode in reports that the journal did not know yet, and a twentieth.
        let most = tasks + tasks / 20 + 4 + AT_RISK_MAX;
        println!(
            "{kill:?}: {invoked} invocations, clean {tasks}; {:?}, clean {:?}",
            run.wall, clean.wall
        );
        assert!(invoked <= most, "{kill:?}: {invoked} invocations, clean {tasks}");
        // What the dead one had not written down yet is not billed, and nothing is billed twice.
        let billed = run.last["stats"]["mayfly"]["invocations"].as_u64().expect("a count");
        assert!(billed <= invoked, "{kill:?}: {billed} billed of {invoked}");
        if matches!(kill, Kill::AtRecord(_)) {
            let unseen = invoked - billed;
            assert!(unseen <= UNSEEN_MAX, "{kill:?}: {billed} billed of {invoked}");
        }
    }
}

/// A coordinator that sleeps beyond its lease wakes up and finds that the query is another's.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_wakes_up_late_is_fenced_and_tells_the_same() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = world().await;
    let zombie = cloud.server.beside(&cloud.server.s3, &[LEASE, SLOTS].concat());
    let client = forced(Client::new(&zombie.url, SCHEMA));
    let expected = forced(cloud.client.clone())
        .query(JOIN)
        .await
        .expect("answered")
        .table
        .sorted();
    let before = cloud.invocations().await;
    let page = client.submit(JOIN).await;
    let page = client
        .get_json(&format!(
            "{}?maxWait=1ms",
            page["nextUri"].as_str().expect("a next page")
        ))
        .await;
    while cloud.invocations().await < before + 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    signal(zombie.pid(), Signal::SIGSTOP);
    let elsewhere = page["nextUri"]
        .as_str()
        .expect("it runs")
        .replace(&zombie.url, &cloud.server.url);
    let there = cloud.client.get_json(&elsewhere).await;
    let (_, rows_there) = follow(&cloud.client, there, &zombie.url, &cloud.server.url).await;
    signal(zombie.pid(), Signal::SIGCONT);
    let (last, rows_here) = follow(&client, page, "nowhere", "nowhere").await;
    assert!(last["error"].is_null(), "{last}");
    assert_eq!(sorted(&rows_here), sorted(&rows_there));
    assert_eq!(rows_here.len(), expected.rows.len());
}

async fn answers(client: Client, sql: String, here: String, there: String) -> Result<usize, String> {
    let first = client.submit(&sql).await;
    let (last, rows) = follow(&client, first, &here, &there).await;
    match last["error"].is_null() {
        true => Ok(rows.len()),
        false => Err(last["error"].to_string()),
    }
}

/// Two servers under load on one queue that repeats, drops and reorders; one is killed.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_under_load_one_may_die() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = world().await;
    let faults = serde_json::json!({"seed": 5, "sqs": [
        {"fault": "drop", "probability": 0.1},
        {"fault": "duplicate", "probability": 0.5},
        {"fault": "reorder", "probability": 0.5},
    ]});
    cloud
        .client
        .put_json(&format!("{}/_emulator/faults", cloud.server.lambda), &faults)
        .await;
    let mut other = cloud.server.beside(&cloud.server.s3, &[LEASE, SLOTS].concat());
    let context = oracle::context(&cloud.files, 2).await;
    let mut running = tokio::task::JoinSet::new();
    for number in [1, 3, 4, 6, 10, 12, 14, 18] {
        let sql = tpch::query(number);
        let expected: Table = oracle::answer(&context, &sql).await;
        for url in [&cloud.server.url, &other.url] {
            let client = support::forced(Client::new(url, SCHEMA), 1);
            let asked = answers(client, sql.clone(), other.url.clone(), cloud.server.url.clone());
            let rows = expected.rows.len();
            running.spawn(async move { (number, rows, asked.await) });
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    other.kill();
    while let Some(ended) = running.join_next().await {
        let (number, rows, answer) = ended.expect("no panic");
        assert_eq!(answer, Ok(rows), "q{number:02}");
    }
}

/// Cancel at a server that does not run the query.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_canceled_at_any_server() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = world().await;
    let other: Server = cloud.server.beside(&cloud.server.s3, &LEASE);
    let client = cloud.client.clone();
    let page = client.submit(ENDLESS).await;
    let page = client
        .get_json(&format!(
            "{}?maxWait=1ms",
            page["nextUri"].as_str().expect("a next page")
        ))
        .await;
    while cloud.invocations().await == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let uri = page["nextUri"]
        .as_str()
        .expect("it runs")
        .replace(&cloud.server.url, &other.url);
    let moved = serde_json::json!({"nextUri": uri});
    client.cancel(&moved).await;
    let canceled = Instant::now();
    let last = client.follow(page, |_| {}).await;
    assert!(canceled.elapsed() < Duration::from_secs(5), "{:?}", canceled.elapsed());
    assert_eq!(last["error"]["errorName"], "USER_CANCELED", "{last}");
}
