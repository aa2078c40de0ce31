//! TPC-H 22/22: forced to many tasks at every stage, and as a user would run it. Equal to in-process DataFusion in rows and types.

use crate::support::{self, Cloud};
use mayfly_end_to_end::client::{Answer, Client};
use mayfly_end_to_end::{oracle, tpch};
use serde_json::Value;
use std::fmt::Write;

async fn run(cloud: &Cloud, client: &Client) -> Vec<Answer> {
    let oracle = oracle::context(&cloud.files, 2).await;
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    for number in 1..=22 {
        let sql = tpch::query(number);
        let expected = oracle::answer(&oracle, &sql).await;
        match client.query(&sql).await {
            Ok(answer) => {
                wrong.extend(
                    answer
                        .table
                        .difference(&expected)
                        .map(|difference| format!("q{number}: {difference}")),
                );
                answers.push(answer);
            }
            Err(error) => wrong.push(format!("q{number}: {error:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of 22 differ:\n{}", wrong.len(), wrong.join("\n"));
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_with_one_local_partition() {
    let cloud = support::cloud(&[]).await;
    let answers = run(&cloud, &support::forced(cloud.client.clone(), 1)).await;
    let mut shape = String::new();
    for (number, answer) in (1..).zip(&answers) {
        writeln!(shape, "q{number:02}  {}", shape_of(&cloud.info(&answer.query_id).await)).expect("a string grows");
    }
    expect_test::expect_file![tpch::root().join("tests/golden/shape.txt")].assert_eq(&shape);
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_with_three_local_partitions() {
    let cloud = support::cloud(&[]).await;
    run(&cloud, &support::forced(cloud.client.clone(), 3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_with_sixteen_local_partitions() {
    let cloud = support::cloud(&[]).await;
    run(&cloud, &support::forced(cloud.client.clone(), 16)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn default_mode() {
    let cloud = support::cloud(&[]).await;
    for answer in run(&cloud, &cloud.client).await {
        assert_ne!(
            answer.stats["mayfly"]["invocations"], 0,
            "table rows are never processed in the control plane"
        );
    }
}

/// `s0 SCAN 4 -HASH-> s1 3 -RESULT`: per stage its tasks and its exchange.
fn shape_of(info: &Value) -> String {
    let stages = info["stages"].as_array().expect("a query has stages");
    let text = |stage: &Value| {
        let field = |name: &str| stage[name].to_string().trim_matches('"').to_owned();
        format!("{}:{}x{}", field("stage"), field("tasks"), field("exchange"))
    };
    stages.iter().map(text).collect::<Vec<_>>().join("  ")
}
