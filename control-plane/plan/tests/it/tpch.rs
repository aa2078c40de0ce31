//! The 22 queries of TPC-H: planned in every mode, run stage by stage, and equal to DataFusion's own answers on the same files.

use crate::world::{World, forced, session, tpch_queries};
use crate::{cluster, oracle};
use mayfly_plan::Session;

const TABLES: [&str; 8] = [
    "region", "nation", "supplier", "part", "partsupp", "customer", "orders", "lineitem",
];

/// Runs all queries in one session and collects what differs, so that one run shows all.
async fn check_all(session: &Session) {
    let world = World::tpch().await;
    let oracle = oracle::context(&world, &TABLES).await;
    let mut failures = Vec::new();
    for (number, sql) in tpch_queries() {
        let expected = oracle::answer(&oracle, &sql).await;
        let planned = world.query(&sql, session).await;
        match cluster::run(&world, &planned).await {
            Err(error) => failures.push(format!("q{number}: {error}\n{}", planned.text.distributed)),
            Ok(found) => {
                let ordered = sql.contains("order by");
                let (expected, found) = (oracle::rows(&expected, ordered), oracle::rows(&found, ordered));
                if expected != found {
                    let difference = expected.iter().zip(&found).find(|(expected, found)| expected != found);
                    let rows = (expected.len(), found.len());
                    failures.push(format!(
                        "q{number}: rows {rows:?}, first difference {difference:?}\n{}",
                        planned.text.distributed
                    ));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of 22 differ:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_with_one_partition() {
    check_all(&forced("1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_with_three_partitions() {
    check_all(&forced("3")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_with_sixteen_partitions() {
    check_all(&forced("16")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_to_the_last_byte() {
    check_all(&session(&[("target_task_bytes", "1"), ("target_partitions", "2")])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default() {
    check_all(&session(&[])).await;
}
