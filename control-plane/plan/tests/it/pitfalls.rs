//! Queries that others who cut DataFusion's plans got wrong: duplicate rows, lost rows, hangs. Each must equal DataFusion's own answer
//! whatever the number of tasks and of partitions inside a task.

use crate::world::{Layout, World, session};
use crate::{cluster, oracle};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use datafusion::prelude::SessionContext;
use mayfly_plan::Planned;
use mayfly_protocol::{ExchangeKind, FileRange};
use std::collections::BTreeSet;
use std::sync::Arc;

const TABLES: [&str; 4] = ["a", "b", "nulls", "empty_b"];

/// `a`: 60 rows with repeated and null keys; `b`: 40 rows, keys partly others; `nulls`: three rows, one null; `empty_b`: no row.
async fn small() -> (World, SessionContext) {
    let world = World::empty().await;
    let layout = Layout {
        files: 3,
        rows_per_group: 5,
    };
    world
        .table("a", &[pairs(60, |n| (n % 7 != 0).then_some(n % 13), |n| n)], layout)
        .await;
    world
        .table(
            "b",
            &[pairs(40, |n| (n % 11 != 0).then_some(n % 17 + 5), |n| n * 10)],
            layout,
        )
        .await;
    world
        .table(
            "nulls",
            &[pairs(3, |n| (n != 1).then_some(n), |n| n)],
            Layout {
                files: 1,
                rows_per_group: 1,
            },
        )
        .await;
    world
        .table(
            "empty_b",
            &[pairs(0, Some, |n| n)],
            Layout {
                files: 1,
                rows_per_group: 1,
            },
        )
        .await;
    let oracle = oracle::context(&world, &TABLES).await;
    (world, oracle)
}

fn pairs(rows: i64, key: impl Fn(i64) -> Option<i64>, value: impl Fn(i64) -> i64) -> RecordBatch {
    let keys: ArrayRef = Arc::new(Int64Array::from_iter((0..rows).map(key)));
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values((0..rows).map(value)));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..rows).map(|n| format!("name {}", n % 4)),
    ));
    RecordBatch::try_from_iter_with_nullable([("k", keys, true), ("v", values, true), ("s", names, true)]).unwrap()
}

/// Whether the query orders its own rows: an ORDER BY outside all parentheses.
fn is_ordered(sql: &str) -> bool {
    let mut depth = 0;
    sql.char_indices().any(|(at, letter)| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth == 0 && sql[at..].starts_with("order by")
    })
}

/// Runs each query with many tasks and with one, and compares.
async fn check(queries: &[&str]) {
    let (world, oracle) = small().await;
    let mut failures = Vec::new();
    for sql in queries {
        let expected = oracle::try_answer(&oracle, sql).await;
        for partitions in ["1", "3", "16"] {
            for bytes in ["1", "1GB"] {
                let session = session(&[("target_task_bytes", bytes), ("target_partitions", partitions)]);
                let what = format!("{sql} in tasks of {bytes} with {partitions} partitions");
                let (found, text) = match world.planner.plan(sql, &session).await {
                    Ok(Planned::Query(planned)) => (cluster::run(&world, &planned).await, planned.text.distributed),
                    Ok(Planned::Rows { batches, .. }) => (Ok(batches), String::new()),
                    Ok(Planned::Update { .. }) => panic!("{sql} is a query"),
                    Err(error) => (Err(error.to_string()), String::new()),
                };
                let ordered = is_ordered(sql);
                let Ok(expected) = &expected else {
                    // What DataFusion refuses, we refuse: an answer would have nothing to be right by.
                    failures.extend(
                        found
                            .is_ok()
                            .then(|| format!("{what}: answered, though DataFusion does not")),
                    );
                    continue;
                };
                match found {
                    Err(error) => failures.push(format!("{what}: {error}\n{text}")),
                    Ok(found) if oracle::rows(&found, ordered) != oracle::rows(expected, ordered) => {
                        let (found, expected) = (oracle::rows(&found, ordered), oracle::rows(expected, ordered));
                        failures.push(format!("{what}:\nfound {found:?}\nexpected {expected:?}\n{text}"));
                    }
                    Ok(_) => {}
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_of_every_type_on_keys() {
    check(&[
        "select a.v, b.v from a join b on a.k = b.k",
        "select a.v, b.v from a left join b on a.k = b.k",
        "select a.v, b.v from a right join b on a.k = b.k",
        "select a.v, b.v from a full join b on a.k = b.k",
        "select a.v from a where exists (select * from b where b.k = a.k)",
        "select a.v from a where not exists (select * from b where b.k = a.k)",
        "select a.v, b.v from a left join b on a.k = b.k and a.v > b.v",
        "select a.v, b.v from a full join b on a.k = b.k and a.v > b.v",
        "select a.v, n.v from a left join nulls n on a.k = n.k",
        "select a.v, n.v from nulls n left join a on a.k = n.k",
        "select a.v, e.v from a left join empty_b e on a.k = e.k",
        "select a.v, e.v from a full join empty_b e on a.k = e.k",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_without_keys() {
    check(&[
        "select a.v, b.v from a cross join b",
        "select a.v, b.v from a join b on a.v > b.v",
        "select a.v, b.v from a left join b on a.v > b.v + 100",
        "select a.v, b.v from a right join b on a.v > b.v + 10",
        "select a.v, b.v from a full join b on a.v > b.v + 30",
        "select a.v from a where exists (select * from b where b.v < a.v)",
        "select a.v from a where not exists (select * from b where b.v > a.v * 5)",
        "select count(*) from a cross join b",
        "select count(*) from a, b, nulls",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_in_knows_about_nulls() {
    check(&[
        "select v from a where k not in (select k from nulls)",
        "select v from a where k not in (select k from nulls where k is not null)",
        "select v from a where k not in (select k from b)",
        "select v from a where k not in (select k from b where k is not null)",
        "select v from a where k not in (select k from empty_b)",
        "select v from a where k in (select k from nulls)",
        "select count(*) from a where k not in (select v from b where v < 40)",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scalar_subqueries_cross_stages() {
    check(&[
        "select v from a where v > (select avg(v) from b) / 10",
        "select v, (select max(v) from b) from a",
        "select v, (select v from empty_b) from a",
        "select k, sum(v) from a group by k having sum(v) > (select avg(v) from a)",
        "select v from a where v > (select avg(v) from a where v < (select max(v) from b) / 10)",
        "select a.v from a join b on a.k = b.k where b.v > (select min(v) from b) and a.v < (select max(v) from a)",
        "select (select max(v) from a) + (select min(v) from b)",
        "select (select count(*) from a), (select count(*) from b), count(*) from nulls",
        "select v from a where k = (select v from nulls where v = 2) union all select v from b where v > (select avg(v) from b)",
        "select v from a order by v limit 5 offset 3",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scalar_subquery_of_two_rows_is_an_error() {
    let (world, _) = small().await;
    let sql = "select v from a where v > (select v from b where v < 100)";
    for bytes in ["1", "1GB"] {
        let planned = world.query(sql, &session(&[("target_task_bytes", bytes)])).await;
        let error = cluster::run(&world, &planned).await.unwrap_err();
        assert!(error.to_lowercase().contains("more than one row"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unions_repeat_no_row() {
    check(&[
        "select v from a union all select v from b",
        "select v from a union all select 1000",
        "select v from a union all select sum(v) from b",
        "select sum(v) from a union all select sum(v) from b",
        "select v from a union select v from b union select k from a",
        "select k, count(*) from (select k from a union all select k from b union all select 3) t group by k",
        "select v from a where v > 1000000 union all select v from b",
        "select v from (select v from a union all select v from b where 1 = 0) t",
        "select * from (select v from a order by v limit 3) x union all select v from b",
        "select t.v, b.v from (select k, v from a union all select k, v from nulls) t join b on t.k = b.k",
        "select k, sum(v) from (select k, sum(v) v from a group by k union all select k, sum(v) v from b group by k) t group by k",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn set_operations_take_nulls_for_equal() {
    check(&[
        "select k from a intersect select k from b",
        "select k from a except select k from b",
        "select k from a except select k from nulls",
        "select k from a intersect select k from nulls",
        "select distinct k from a",
        "select count(distinct k), count(distinct v) from a",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregations_of_nothing_and_of_no_column() {
    check(&[
        "select count(*), sum(v), max(s) from a where v * 2 = 7",
        "select k, count(*) from a where v * 2 = 7 group by k",
        "select count(*) from a where v % 2 = 0",
        "select count(*) from empty_b",
        "select count(*), sum(v) from empty_b",
        "select count(*) from (select 1 from a, nulls) t",
        "select s, k, count(*), sum(v) from a group by grouping sets ((s), (k), ())",
        "select s, k, count(*) from a group by rollup (s, k)",
        "select s, avg(v), stddev(v), min(s) from a group by s having count(*) > 2",
        "select approx_distinct(k) >= 1 from a",
        "select array_agg(v order by v) from a where v < 6",
        "select s, array_agg(v order by v desc) from a where v < 20 group by s",
        "select sum(v) filter (where k > 3) from a",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_keep_their_number() {
    check(&[
        "select v from a order by v limit 7",
        "select v from a order by v desc limit 7 offset 50",
        "select count(*) from (select v from a limit 11) t",
        "select count(*) from (select v from a limit 11 offset 55) t",
        "select count(*) from (select a.v from a join b on a.k = b.k limit 9) t",
        "select count(*) from (select v from a union all select v from b limit 90) t",
        "select count(*) from (select k, count(*) from a group by k limit 4) t",
        "select v, s from a order by s, v limit 13",
        "select k, s, v from a order by k nulls first, v desc",
        "select count(*) from (select v from a where v > 10 limit 0) t",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_with_and_without_partitions() {
    check(&[
        "select v, row_number() over (partition by s order by v) from a",
        "select v, sum(v) over (order by v) from a",
        "select v, rank() over (order by k, v) from a",
        "select v, sum(v) over (partition by k) from a",
        "select k, v, lag(v) over (partition by k order by v), max(v) over (partition by s order by v) from a",
        "select * from (select v, row_number() over (partition by s order by v desc) r from a) t where r <= 2",
        "select sum(v), count(*) over () from a group by k",
        "select k, rank() over (partition by s order by total) from (select k, s, sum(v) total from a group by k, s) t",
        "select a.k, row_number() over (partition by a.k order by a.v, b.v) from a join b on a.k = b.k",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_things_at_once() {
    check(&[
        "with t as (select k, sum(v) v from a group by k) select x.k, x.v, y.v from t x join t y on x.k = y.k",
        "select a.s, count(*), sum(b.v) from a join b on a.k = b.k join nulls n on n.k = a.k group by a.s order by a.s",
        "select k, v from a where (k, v) in (select k, v / 10 from b)",
        "select x.k from (select k from a group by k) x join (select k from b group by k) y on x.k = y.k",
        "select x.n, y.n from (select count(*) n from a) x, (select count(*) n from b) y",
        "select x.n, a.v from (select max(k) n from b) x join a on x.n > a.k",
        "select a.v from a join (select k from b order by v limit 3) t on a.k = t.k",
        "select unnest([v, k]) from a",
        "select case when v > 10 then s else 'x' end c, count(*) from a group by c order by c",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_group_belongs_to_one_task() {
    let (world, _) = small().await;
    let planned = world
        .query(
            "select a.v, b.v from a join b on a.k = b.k",
            &session(&[("target_task_bytes", "1")]),
        )
        .await;
    for stage in planned
        .graph
        .stages
        .iter()
        .filter(|stage| !stage.tasks[0].scans.is_empty())
    {
        for scan in 0..stage.tasks[0].scans.len() {
            let splits = stage.tasks.iter().flat_map(|task| &task.scans[scan]);
            let pieces: Vec<(String, RowGroupKey)> =
                splits.map(|split| (split.key.clone(), key(&split.range))).collect();
            let distinct: BTreeSet<_> = pieces.iter().collect();
            assert_eq!(distinct.len(), pieces.len(), "a row group is read twice: {pieces:?}");
            let expected = if pieces[0].0.starts_with("a/") { 12 } else { 9 };
            assert_eq!(pieces.len(), expected, "{pieces:?}");
        }
    }
}

type RowGroupKey = (u32, u32);

fn key(groups: &FileRange) -> RowGroupKey {
    match groups {
        FileRange::All => (0, u32::MAX),
        FileRange::RowGroups { start, end } => (*start, *end),
        FileRange::Bytes { .. } => panic!("the table is no text"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_partition_still_crosses_exchanges() {
    let (world, _) = small().await;
    let one = session(&[("target_task_bytes", "1"), ("target_partitions", "1")]);
    let planned = world
        .query("select a.k, count(*) from a join b on a.k = b.k group by a.k", &one)
        .await;
    let hashed = planned
        .graph
        .stages
        .iter()
        .filter(|stage| stage.output.kind == ExchangeKind::Hash);
    assert!(hashed.count() >= 2, "{}", planned.text.distributed);
    assert!(planned.graph.stages.iter().all(|stage| stage.local_partitions == 1));
}

/// Rows without end are never made in the control plane, table or no table.
#[tokio::test(flavor = "multi_thread")]
async fn recursion_is_for_one_task() {
    let (world, _) = small().await;
    for sql in [
        "with recursive r as (select 1 n union all select n + 1 from r, nulls where n < 3) select * from r",
        "with recursive r as (select 1 n union all select n + 1 from r) select * from r",
    ] {
        let planned = world.query(sql, &session(&[("target_task_bytes", "1")])).await;
        let last = planned.graph.stages.last().expect("a query has a stage");
        assert_eq!(last.tasks.len(), 1, "{sql}");
        assert!(
            planned.text.distributed.contains("RecursiveQueryExec"),
            "{}",
            planned.text.distributed
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_parquet_are_views() {
    let (world, _) = small().await;
    let sql = "select s, max(s), count(*) from a where s > 'b' group by s";
    let planned = world.query(sql, &session(&[("target_task_bytes", "1")])).await;
    let types: Vec<String> = planned
        .schema
        .fields()
        .iter()
        .map(|field| field.data_type().to_string())
        .collect();
    assert_eq!(
        types,
        ["Utf8View", "Utf8View", "Int64"],
        "what is read is not copied to be compared"
    );
    assert!(!planned.text.physical.contains("CAST(s"), "{}", planned.text.physical);
}
