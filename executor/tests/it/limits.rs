//! Memory, disk and time: what fits is done, what does not is named, and nothing runs on.

use crate::cloud::{Cloud, deadline};
use crate::cutter::{Run, report, specs, whole};
use crate::split_table::{plan, planner};
use mayfly_executor::execute;
use mayfly_protocol::envelope::TaskAnswer;
use mayfly_protocol::{Failure, Split, TaskSpec};
use std::time::{Duration, Instant};

async fn spec(sql: &str, tables: &[Vec<Split>], run: &Run) -> TaskSpec {
    let run = Run {
        tasks: 1,
        ..run.clone()
    };
    specs(0, &whole(plan(&planner(&[]), sql).await)[0], &[], tables, &run).remove(0)
}

fn failure(answer: TaskAnswer) -> Failure {
    match answer {
        TaskAnswer::Failed { failure, .. } => failure,
        TaskAnswer::Done(report) => panic!("the task succeeded: {report:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sort_in_little_memory_spills() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let setting = ("datafusion.execution.batch_size".to_owned(), "1024".to_owned());
    let run = Run {
        memory_bytes_max: Some(1536 * 1024),
        local_partitions: 2,
        settings: [setting].into(),
        ..Run::default()
    };
    let sql = "select id, note, price, day, shop from sales order by note, price, id";
    let report = report(execute(spec(sql, &tables, &run).await, &cloud.environment).await);
    assert!(report.statistics.spilled_bytes > 0, "{:?}", report.statistics);
    assert_eq!(report.output.rows(), 30_000);
    let left = std::fs::read_dir(cloud.spill.path()).expect("a folder").count();
    assert_eq!(left, 0, "spilled files outlive their attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_that_cannot_spill_needs_memory() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let run = Run {
        memory_bytes_max: Some(256 * 1024),
        ..Run::default()
    };
    let sql = "select a.note, b.note from sales a join sales b on a.id = b.id + 1";
    let failure = failure(execute(spec(sql, &tables, &run).await, &cloud.environment).await);
    assert_eq!(failure.class(), "needs_memory", "{failure}");
}

/// Threads of this process that work for the task.
fn threads(task: &str) -> usize {
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let comm = entry.ok()?.path().join("comm");
        std::fs::read_to_string(comm).ok()
    };
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux");
    threads.filter_map(name).filter(|comm| comm.trim_end() == task).count()
}

/// Joins that look at billions of pairs: by filter, by cross product, by one key that all rows share.
const ENDLESS: [&str; 3] = [
    "select count(*) from sales a, sales b where a.id * b.id % 7 = 3 and a.price < b.price",
    "select count(*) from sales a, sales b, sales c where a.id * b.id + c.id = 7",
    "select count(*) from sales a join sales b on a.shop = b.shop join sales c on b.shop = c.shop",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_task_ends_before_its_deadline_and_nothing_runs_on() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    for (sql, index) in ENDLESS.into_iter().zip(4_711..) {
        let mut order = spec(sql, &tables, &Run::default()).await;
        order.attempt.task.index = index;
        order.deadline = deadline(Duration::from_millis(2_500));
        let started = Instant::now();
        let running = tokio::spawn({
            let environment = cloud.environment.clone();
            async move { execute(order, &environment).await }
        });
        tokio::time::sleep(Duration::from_millis(800)).await;
        let thread = format!("task {index}");
        assert!(threads(&thread) > 0, "the task works: {sql}");
        let failure = failure(running.await.expect("no panic"));
        assert_eq!(failure.class(), "timed_out", "{failure}");
        let elapsed = started.elapsed();
        assert!(elapsed < Duration::from_millis(2_500), "{elapsed:?}: {sql}");
        assert!(cloud.environment.is_clean(), "{sql}");
        assert_eq!(threads(&thread), 0, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_task_stops_within_a_look() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let mut order = spec(ENDLESS[0], &tables, &Run::default()).await;
    order.cancel_key = Some("x/default/00/q/cancel".to_owned());
    let bucket = order.output.bucket.clone();
    let running = tokio::spawn({
        let environment = cloud.environment.clone();
        async move { execute(order, &environment).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    cloud
        .store
        .put(&bucket, "x/default/00/q/cancel", bytes::Bytes::new())
        .await
        .expect("put");
    let canceled = Instant::now();
    let failure = failure(running.await.expect("no panic"));
    assert!(canceled.elapsed() < Duration::from_secs(3), "{:?}", canceled.elapsed());
    assert_eq!(failure.class(), "user", "{failure}");
    assert!(cloud.environment.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_comes_too_late_does_nothing() {
    let cloud = Cloud::start().await;
    let tables = cloud.load_all().await;
    let mut order = spec("select * from shops", &tables, &Run::default()).await;
    order.deadline = deadline(Duration::from_millis(500));
    let TaskAnswer::Failed { failure, meter } = execute(order, &cloud.environment).await else {
        panic!("there was no time");
    };
    assert_eq!(failure.class(), "timed_out");
    assert_eq!(meter.s3.puts, 0);
}
