//! The same rows as DataFusion in one process, however a query is cut and spread.

use crate::cloud::Cloud;
use crate::cutter::{Run, cut, run, whole};
use crate::split_table::{SALES, TABLES, batch, plan, planner};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Makes DataFusion shuffle both sides of a join whatever their size.
const PARTITIONED: [(&str, &str); 2] = [
    ("datafusion.optimizer.hash_join_single_partition_threshold", "0"),
    ("datafusion.optimizer.hash_join_single_partition_threshold_rows", "0"),
];

const QUERIES: [&str; 10] = [
    "select shop, count(*), sum(price), avg(price), max(note) from sales where id % 3 = 0 group by shop",
    "select count(distinct note), count(*), sum(id) from sales where price > 20",
    "select region, count(*), sum(price) from sales join shops using (shop) group by region",
    "select name, id from shops left join sales on shops.shop = sales.shop and id < 4000 and price > 90",
    "select name from shops where shop in (select shop from sales where id between 3000 and 9000)",
    "select distinct day, note from sales where id < 2000",
    "select id, row_number() over (partition by shop order by price desc, id) r from sales where id % 50 = 0",
    "select id, note from sales where id = -1",
    "select count(*) from sales where id = -1",
    "select note, min(day), max(id) from sales group by note having count(*) > 250",
];

const ORDERED: [&str; 3] = [
    "select id, price from sales order by price desc, id limit 25",
    "select region, name from shops order by region, name",
    "select shop, sum(price) s from sales group by shop order by s desc, shop limit 5 offset 3",
];

/// A session of the same functions over the same rows in memory.
fn oracle() -> SessionContext {
    let config = mayfly_fragment::session_config(&BTreeMap::new()).expect("no settings");
    let context = SessionContext::new_with_state(mayfly_fragment::session_state_builder(config).build());
    for name in TABLES {
        let batch = batch(name);
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).expect("one schema");
        context.register_table(name, Arc::new(table)).expect("names are new");
    }
    context
}

fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let table = pretty_format_batches(batches).expect("printable").to_string();
    // An empty result prints its columns or not, depending on whether there is an empty batch.
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

async fn expected(sql: &str) -> Vec<String> {
    lines(
        &oracle()
            .sql(sql)
            .await
            .expect("valid SQL")
            .collect()
            .await
            .expect("rows"),
    )
}

async fn check(sql: &str, ordered: bool) {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let mut expected = expected(sql).await;
    if !ordered {
        expected.sort();
    }
    for settings in [&[][..], &PARTITIONED[..]] {
        let planned = plan(&planner(settings), sql).await;
        for local_partitions in [1, 3] {
            for (stages, tasks) in [
                (cut(planned.clone()), 3),
                (cut(planned.clone()), 1),
                (whole(planned.clone()), 1),
            ] {
                let inline_bytes_max = if tasks == 1 { 64 * 1024 } else { 0 };
                let how = Run {
                    tasks,
                    local_partitions,
                    inline_bytes_max,
                    ..Run::default()
                };
                let (_, batches) = run(&cloud, &stages, &tables, &how).await;
                let mut seen = lines(&batches);
                if !ordered {
                    seen.sort();
                }
                assert_eq!(seen, expected, "{sql}: {} stages, {how:?}", stages.len());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_answer_as_in_one_process() {
    for sql in QUERIES {
        check(sql, false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sorted_queries_answer_in_order() {
    for sql in ORDERED {
        check(sql, true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scalar_subquery_runs_within_one_task() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let sql = "select id from sales where price > (select avg(price) * 1.9 from sales) order by id";
    let planned = plan(&planner(&[]), sql).await;
    for local_partitions in [1, 3] {
        let how = Run {
            local_partitions,
            tasks: 1,
            ..Run::default()
        };
        let (_, batches) = run(&cloud, &whole(planned.clone()), &tables, &how).await;
        assert_eq!(lines(&batches), expected(sql).await);
    }
}

/// Of 12 row groups only those that hold one of four shops are read, although nothing in the plan says which. Where both sides of the
/// join are repartitioned, DataFusion's filter goes by hash of the key, which row groups cannot be pruned by: there it filters rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_join_filters_its_probe_side_within_the_task() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let sql =
        "select count(*), sum(price) from shops join sales using (shop) where name like 'shop 1_' and region = 'south'";
    for (settings, filter_rows) in [(&[][..], "false"), (&PARTITIONED[..], "true")] {
        let planned = plan(&planner(settings), sql).await;
        for local_partitions in [1, 3] {
            let mut scanned = Vec::new();
            for dynamic in ["true", "false"] {
                let settings = [
                    ("datafusion.optimizer.enable_dynamic_filter_pushdown", dynamic),
                    ("datafusion.execution.parquet.pushdown_filters", filter_rows),
                ];
                let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
                let how = Run {
                    tasks: 1,
                    local_partitions,
                    settings,
                    ..Run::default()
                };
                let (done, batches) = run(&cloud, &whole(planned.clone()), &tables, &how).await;
                assert_eq!(lines(&batches), expected(sql).await, "{how:?}");
                scanned.push(done[0][0].statistics.rows_scanned);
            }
            assert!(scanned[1] >= SALES as u64, "{scanned:?}");
            assert!(
                scanned[0] < scanned[1] / 2,
                "{scanned:?} of {SALES} at {local_partitions}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_what_was_used() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let planned = plan(&planner(&[]), "select shop, count(*) from sales group by shop").await;
    let stages = cut(planned);
    let (done, _) = run(&cloud, &stages, &tables, &Run::default()).await;
    let (scan, last) = (&done[0], done.last().expect("a stage"));
    let rows: u64 = scan.iter().map(|report| report.statistics.rows_scanned).sum();
    assert_eq!(rows, SALES as u64);
    for report in scan {
        assert!(report.statistics.bytes_scanned > 0, "{report:?}");
        assert!(report.statistics.memory_peak_bytes > 0, "{report:?}");
        assert!(report.meter.s3.gets > 0 && report.meter.s3.puts == 1, "{report:?}");
        assert_eq!(
            report.meter.s3.bytes_read, report.statistics.bytes_scanned,
            "{report:?}"
        );
    }
    let read: u64 = last.iter().map(|report| report.statistics.rows_read).sum();
    let written: u64 = scan.iter().map(|report| report.statistics.rows_written).sum();
    assert_eq!(read, written);
    assert_eq!(last.iter().map(|report| report.output.rows()).sum::<u64>(), 40);
}
