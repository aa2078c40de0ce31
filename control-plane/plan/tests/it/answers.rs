//! What is answered at once, what its columns are called, and what EXPLAIN prints.

use crate::world::{Layout, World, forced, session};
use crate::{cluster, oracle};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use expect_test::{Expect, expect};
use mayfly_plan::{Planned, Session};
use mayfly_protocol::ErrorCode;
use std::sync::Arc;

async fn world() -> World {
    let world = World::empty().await;
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..40));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..40).map(|n| format!("n{}", n % 3))));
    let batch = RecordBatch::try_from_iter([("k", keys), ("Name", names)]).unwrap();
    world
        .table(
            "t",
            &[batch],
            Layout {
                files: 2,
                rows_per_group: 5,
            },
        )
        .await;
    world
}

async fn check(world: &World, sql: &str, expected: Expect) {
    expected.assert_eq(&world.rows(sql).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_no_row_is_answered_at_once() {
    let world = world().await;
    check(&world, "SELECT 1", expect![["_col0\n1"]]).await;
    check(
        &world,
        "/* {\"app\": \"dbt\"} */ SELECT 1 AS one, 'x' AS \"Two\" -- end\n;;",
        expect![["one | Two\n1 | x"]],
    )
    .await;
    check(&world, "SELECT * FROM t LIMIT 0", expect![["k | name\n"]]).await;
    check(&world, "SELECT k FROM t WHERE 1 = 2", expect![["k\n"]]).await;
    check(
        &world,
        "SELECT count(*), min(k), max(k) FROM t",
        expect![["_col0 | _col1 | _col2\n40 | 0 | 39"]],
    )
    .await;
    // No row group can hold such a key: footers are all that is read.
    check(
        &world,
        "SELECT sum(k), count(*) FROM t WHERE k > 1000",
        expect![["_col0 | _col1\n | 0"]],
    )
    .await;
    check(
        &world,
        "VALUES (1, 'a'), (2, 'b')",
        expect![["column1 | column2\n1 | a\n2 | b"]],
    )
    .await;
    check(
        &world,
        "SELECT now() = now(), date_trunc('year', now()) = timestamp '2025-01-01T00:00:00Z'",
        expect![["_col0 | _col1\ntrue | true"]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_stands_in_the_zone_of_the_session() {
    let world = world().await;
    let zone = |name: &str| Session {
        time_zone: Some(name.to_owned()),
        ..session(&[])
    };
    // It is 2025-11-20 00:53:20 UTC.
    let sql = "SELECT current_date, date_part('hour', now()), arrow_typeof(now())";
    let rows = world.rows_in(sql, &zone("America/New_York")).await;
    expect![[r#"_col0 | _col1 | _col2
2025-11-19 | 19 | Timestamp(ms, "America/New_York")"#]]
    .assert_eq(&rows);
    // Executors are told.
    let planned = world.query("SELECT sum(k) FROM t", &zone("+02:00")).await;
    let told = planned.graph.settings.get("datafusion.execution.time_zone");
    assert_eq!(told.map(String::as_str), Some("+02:00"));
    let error = world.run_in("SELECT 1", &zone("Mars/Olympus")).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotSupported);
    assert!(error.message.contains("Mars/Olympus"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_called_as_written() {
    let world = world().await;
    let cases = [
        ("SELECT K, NAME FROM t", vec!["K", "NAME"]),
        (
            "SELECT k, k, count(*) OVER (), 1, 1 FROM t",
            vec!["k", "k", "_col2", "_col3", "_col4"],
        ),
        ("SELECT k AS x, name AS X, \"Name\" FROM t", vec!["x", "X", "Name"]),
        ("SELECT *, k, upper(name) FROM t", vec!["k", "name", "k", "_col3"]),
        ("SELECT a.k, b.k FROM t a JOIN t b ON a.k = b.k", vec!["k", "k"]),
        (
            "SELECT a.*, b.* FROM t a JOIN t b ON a.k = b.k",
            vec!["k", "name", "k", "name"],
        ),
        ("SELECT k + 1 FROM t UNION ALL SELECT k AS z FROM t", vec!["_col0"]),
        (
            "WITH c AS (SELECT k AS \"Q\" FROM t) SELECT q, Q, \"q\" FROM c",
            vec!["q", "Q", "q"],
        ),
        (
            "SELECT count(*), count(*) FROM t WHERE k % 2 = 0",
            vec!["_col0", "_col1"],
        ),
        ("SELECT k, k FROM t ORDER BY k", vec!["k", "k"]),
    ];
    for (sql, expected) in cases {
        let planned = world.query(sql, &session(&[])).await;
        assert_eq!(planned.columns, expected, "{sql}");
        assert_eq!(planned.schema.fields().len(), expected.len(), "{sql}");
        let rows = cluster::run(&world, &planned).await.unwrap();
        assert!(rows.iter().all(|batch| batch.num_columns() == expected.len()), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_query_is_one_task() {
    let world = world().await;
    let sql = "SELECT name, sum(k) FROM t GROUP BY name ORDER BY name";
    let planned = world.query(sql, &session(&[])).await;
    assert_eq!(
        (planned.graph.stages.len(), planned.graph.tasks()),
        (1, 1),
        "{}",
        planned.text.distributed
    );
    let rows = oracle::rows(&cluster::run(&world, &planned).await.unwrap(), true);
    assert_eq!(rows, ["n0 | 273", "n1 | 247", "n2 | 260"]);
    let planned = world.query(sql, &forced("2")).await;
    assert_eq!(planned.graph.stages.len(), 1, "t has less than 50 kB");
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_fragments() {
    let world = world().await;
    let explained = world
        .planner
        .plan(
            "EXPLAIN (TYPE DISTRIBUTED) SELECT name, sum(k) FROM t WHERE k > 20 GROUP BY name ORDER BY name LIMIT 2",
            &session(&[("target_task_bytes", "1"), ("target_partitions", "2")]),
        )
        .await
        .unwrap();
    let expected = expect![[r#"
        Fragment 2 [SINGLE] tasks=1
            Output: RESULT
            Input 0: SINGLE merge from fragment 1
            ShuffleWriteExec: SINGLE
              SortPreservingMergeExec: [name@0 ASC NULLS LAST], fetch=2
                ShuffleReadExec: input=0, read=merge, order=[name@0 ASC NULLS LAST]

        Fragment 1 [HASH] tasks=8
            Output: SINGLE
            Input 0: HASH from fragment 0
            ShuffleWriteExec: SINGLE
              SortPreservingMergeExec: [name@0 ASC NULLS LAST], fetch=2
                SortExec: TopK(fetch=2), expr=[name@0 ASC NULLS LAST], preserve_partitioning=[true]
                  AggregateExec: mode=FinalPartitioned, gby=[name@0 as name], aggr=[sum(t.k)]
                    ShuffleReadExec: input=0, read=partitions, keys=[name@0]

        Fragment 0 [SOURCE] tasks=4
            Output: HASH 32 partitions
            Scan: lake.default.t 4 of 8 row groups in 1 of 2 files, 516 B
            ShuffleWriteExec: HASH, keys=[name@0], partitions=32
              AggregateExec: mode=Partial, gby=[name@1 as name], aggr=[sum(t.k)]
                FilterExec: k@0 > 20
                  ProjectionExec: expr=[k@0 as k, Name@1 as name]
                    SplitScanExec: lake.default.t scan=0, columns=[k, Name], predicate=k@0 > 20"#]];
    expected.assert_eq(&text(explained));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_explain() {
    let world = world().await;
    let cases = [
        ("EXPLAIN SELECT k FROM t", "Logical plan:", "Physical plan:"),
        ("EXPLAIN VERBOSE SELECT k FROM t", "Logical plan:", "Distributed plan:"),
        ("EXPLAIN (TYPE LOGICAL) SELECT k FROM t", "TableScan: t", ""),
        ("EXPLAIN (TYPE VALIDATE) SELECT k FROM t", "true", ""),
        (
            "EXPLAIN (TYPE DISTRIBUTED, FORMAT TEXT) SELECT k FROM t",
            "Fragment 0 [SOURCE] tasks=1",
            "Output: RESULT",
        ),
        ("EXPLAIN ANALYZE VERBOSE SELECT 1", "Answered in the control plane", ""),
        ("EXPLAIN (SELECT k FROM t)", "Logical plan:", "SplitScanExec"),
        (
            "EXPLAIN (TYPE DISTRIBUTED) SELECT 1",
            "Answered in the control plane",
            "",
        ),
    ];
    for (sql, first, second) in cases {
        let text = text(world.run(sql).await.unwrap());
        assert!(text.contains(first) && text.contains(second), "{sql}:\n{text}");
    }
    assert!(
        world
            .run("EXPLAIN (TYPE VALIDATE) SELECT nothing FROM t")
            .await
            .is_err()
    );
}

fn text(planned: Planned) -> String {
    match planned {
        Planned::Rows { batches, .. } => oracle::rows(&batches, true).join("\n"),
        other => panic!("{other:?}"),
    }
}
