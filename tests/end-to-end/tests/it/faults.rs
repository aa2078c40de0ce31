//! Every fault of S3, SQS and Lambda over a scan, an aggregation, a join, a sort and a window: the same rows as on one node, the same fault
//! having really struck, and nothing left behind. Campaigns at scale are `mayfly-bench faults`.

use crate::support::{self, Cloud};
use mayfly_end_to_end::oracle;
use mayfly_end_to_end::table::Table;
use serde_json::{Value, json};
use std::time::Duration;

const QUERIES: [&str; 5] = [
    "SELECT l_orderkey, l_linenumber, l_comment FROM lineitem WHERE l_quantity < 2",
    "SELECT l_returnflag, l_linestatus, count(*), sum(l_quantity), max(l_comment) FROM lineitem GROUP BY 1, 2",
    "SELECT o_orderpriority, count(*), max(l_comment) FROM orders JOIN lineitem ON o_orderkey = l_orderkey \
     WHERE o_totalprice > 100000 GROUP BY 1",
    "SELECT o_orderkey, o_totalprice FROM orders WHERE o_orderdate < DATE '1993-01-01' ORDER BY o_totalprice, o_orderkey",
    "SELECT o_orderkey, row_number() OVER (PARTITION BY o_custkey ORDER BY o_orderkey) FROM orders WHERE o_orderkey % 7 = 0",
];

const SEEDS: u64 = 2;

/// A fault of this chance must have struck.
const OFTEN: f64 = 0.1;

/// Objects of a query are gone this long after its end, at the latest.
const SWEPT: Duration = Duration::from_secs(60);

async fn world() -> Cloud {
    // A lost message costs a lease.
    support::cloud(&["--lease", "2"]).await
}

async fn expected(cloud: &Cloud) -> Vec<Table> {
    let context = oracle::context(&cloud.files, 2).await;
    let mut tables = Vec::new();
    for sql in QUERIES {
        tables.push(oracle::answer(&context, sql).await);
    }
    tables
}

/// Runs all queries under the rules, twice; every answer must be the oracle's.
async fn survives(what: &str, rules: &Value) {
    let cloud = world().await;
    let expected = expected(&cloud).await;
    let client = support::forced(cloud.client.clone(), 2);
    let faults = format!("{}/_emulator/faults", cloud.server.lambda);
    let (mut fired, mut roots) = (Vec::new(), Vec::new());
    for seed in 1..=SEEDS {
        let mut rules = rules.clone();
        rules["seed"] = json!(seed);
        client.put_json(&faults, &rules).await;
        // At the same time, so that messages overtake each other.
        let answers = futures::future::join_all(QUERIES.map(|sql| client.query(sql))).await;
        for ((sql, answer), expected) in QUERIES.iter().zip(answers).zip(&expected) {
            let answer = answer.unwrap_or_else(|failure| panic!("{what}, seed {seed}, {sql}: {failure:?}"));
            assert_eq!(answer.table.difference(expected), None, "{what}, seed {seed}, {sql}");
            roots.push(root(&cloud, &answer.query_id).await);
        }
        fired.push(client.get_json(&faults).await);
    }
    let often = |drawn: &&Value| drawn["probability"].as_f64().is_some_and(|chance| chance >= OFTEN);
    let services = fired
        .iter()
        .flat_map(|services| services.as_object().expect("services").values());
    for drawn in services.filter_map(Value::as_array).flatten().filter(often) {
        let same = fired
            .iter()
            .flat_map(|services| services.as_object().expect("services").values());
        let same = same
            .filter_map(Value::as_array)
            .flatten()
            .filter(|other| other["fault"] == drawn["fault"]);
        let times: u64 = same.filter_map(|other| other["fired"].as_u64()).sum();
        assert!(times > 0, "{what}: {} never happened", drawn["fault"]);
    }
    client.put_json(&faults, &json!({})).await;
    nothing_is_left(&cloud, &roots).await;
}

/// How keys of the query's rows go on after the query: they may still be read.
async fn root(cloud: &Cloud, query: &str) -> String {
    let info = cloud.info(query).await;
    let last = info["stages"]
        .as_array()
        .and_then(|stages| stages.last())
        .expect("stages");
    format!("/{query}/{}/", last["stage"].as_str().expect("a stage has a name"))
}

/// No object under the shuffle prefix but rows, and no invocation in flight.
async fn nothing_is_left(cloud: &Cloud, roots: &[String]) {
    let store = cloud.store().await;
    let end = std::time::Instant::now() + SWEPT;
    loop {
        let mut left = store.list("mayfly", "x/").await.expect("listed");
        left.retain(|object| !roots.iter().any(|root| object.key.contains(root)));
        let busy = cloud.environments().await;
        let busy = busy.iter().filter(|environment| environment["state"] == "busy").count();
        if left.is_empty() && busy == 0 {
            return;
        }
        assert!(std::time::Instant::now() < end, "{busy} busy, left: {left:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn rule(fault: Value, probability: f64, target: &str) -> Value {
    json!({"fault": fault, "probability": probability, "target": target})
}

#[tokio::test(flavor = "multi_thread")]
async fn executors_killed_at_any_moment() {
    let kill = |moment: Value| rule(json!({"kill": {"moment": moment}}), 0.05, "");
    let moments = [
        json!("init"),
        json!("event_delivered"),
        json!({"after_ms": 5}),
        json!({"after_ms": 30}),
        json!("before_response"),
        json!("after_response"),
        json!("frozen"),
    ];
    survives("a kill", &json!({"lambda": moments.map(kill)})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invocations_throttled_and_lost() {
    let rules = [rule(json!("throttle"), 0.15, ""), rule(json!("response_lost"), 0.1, "")];
    survives("a fault of Lambda", &json!({ "lambda": rules })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_that_refuses_resets_and_trickles() {
    let rules = [
        rule(json!("slow_down"), 0.1, ""),
        rule(json!("internal_error"), 0.05, ""),
        rule(json!("reset"), 0.03, ""),
        rule(json!({"slow": {"bytes_per_s": 100_000}}), 0.01, ""),
    ];
    survives("a fault of S3", &json!({ "s3": rules })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_that_cuts_and_flips_what_it_returns() {
    let rules = [
        rule(json!("truncate"), 0.03, ""),
        rule(json!("flip_bit"), 0.02, "mayfly/x/"),
        rule(json!("flip_bit"), 0.02, "mayfly/j/"),
    ];
    survives("damage", &json!({ "s3": rules })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_that_writes_and_says_it_did_not() {
    let rules = [
        rule(json!("applied_but_error"), 0.15, "mayfly/"),
        rule(json!("applied_but_reset"), 0.1, "mayfly/"),
    ];
    survives("a write in doubt", &json!({ "s3": rules })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_dropped_doubled_and_late() {
    let rules = [
        rule(json!({"delay": {"ms": 300}}), 0.4, ""),
        rule(json!("duplicate"), 0.4, ""),
        rule(json!("drop"), 0.09, ""),
        rule(json!("internal_error"), 0.09, ""),
    ];
    survives("a fault of SQS", &json!({ "sqs": rules })).await;
}
