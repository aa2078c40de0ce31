//! The nodes among DataFusion's own rules and operators: filters, projections, limits, exchanges that run in one process.

use crate::split_table::{plan, planner};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use expect_test::{Expect, expect};
use mayfly_fragment::ExchangeExec;
use std::sync::Arc;

async fn check(sql: &str, settings: &[(&str, &str)], expected: Expect) {
    let plan = plan(&planner(settings), sql).await;
    expected.assert_eq(&displayable(plan.as_ref()).indent(true).to_string());
}

#[tokio::test]
async fn filters_prune_the_scan_and_stay_above_it_once() {
    check(
        "select id from sales where shop = 3 and price > 10",
        &[],
        expect![[r#"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn filters_that_a_scan_cannot_judge_stay_away() {
    check(
        "select id from sales where price > (select avg(price) from sales) and random() < 0.5",
        &[],
        expect![[r#"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_tiny_table_is_still_planned_with_exchanges() {
    check(
        "select region, count(*) from shops group by region order by region",
        &[],
        expect![[r#"
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_limit_reaches_the_scan() {
    check(
        "select name from shops limit 5",
        &[],
        expect![[r#"
    "#]],
    )
    .await;
}

/// Rows as sorted lines.
fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let table = pretty_format_batches(batches).expect("printable").to_string();
    let mut lines: Vec<String> = table.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn input(partitions: usize) -> Arc<dyn ExecutionPlan> {
    let batch = crate::split_table::batch("shops");
    let rows = batch.num_rows() / partitions;
    let parts: Vec<Vec<RecordBatch>> = (0..partitions)
        .map(|part| vec![batch.slice(part * rows, rows)])
        .collect();
    MemorySourceConfig::try_new_exec(&parts, batch.schema(), None).expect("one schema")
}

#[tokio::test]
async fn exchanges_run_in_one_process() {
    let context = planner(&[]).task_ctx();
    let rows = lines(&collect(input(4), context.clone()).await.expect("rows"));
    let shop = || col("shop", &input(4).schema()).expect("a column");
    let hash = ExchangeExec::hash(input(4), vec![shop()], 3).expect("an exchange");
    assert_eq!(hash.properties().partitioning.to_string(), "Hash([shop@0], 3)");
    let order = LexOrdering::new([PhysicalSortExpr::new_default(shop())]).expect("not empty");
    for (exchange, partitions) in [
        (hash, 3),
        (ExchangeExec::round_robin(input(4), 2).expect("an exchange"), 2),
        (ExchangeExec::broadcast(input(4)).expect("an exchange"), 1),
        (ExchangeExec::single(input(4), None).expect("an exchange"), 1),
        (ExchangeExec::merge(input(4), order, None).expect("an exchange"), 1),
    ] {
        assert_eq!(
            exchange.properties().partitioning.partition_count(),
            partitions,
            "{exchange:?}"
        );
        let exchange: Arc<dyn ExecutionPlan> = Arc::new(exchange);
        // A second run needs fresh state, as DataFusion gives to any plan that runs again.
        for plan in [exchange.clone(), exchange.reset_state().expect("a fresh state")] {
            let seen = lines(&collect(plan, context.clone()).await.expect("rows"));
            assert_eq!(seen, rows);
        }
    }
}

#[tokio::test]
async fn both_sides_of_a_cut_keep_fetch_and_order() {
    let show = |plan: &dyn ExecutionPlan| displayable(plan).indent(false).to_string();
    let order = LexOrdering::new([PhysicalSortExpr::new_default(
        col("shop", &input(2).schema()).expect("a column"),
    )]);
    let merge = ExchangeExec::merge(input(2), order.expect("not empty"), Some(5)).expect("an exchange");
    let producer = merge.producer(input(2), 1).expect("a producer");
    let consumer = merge.consumer(7, 3).expect("a consumer");
    expect![[r#"
    "#]]
    .assert_eq(&(show(producer.as_ref()) + &show(consumer.as_ref())));
    let single = ExchangeExec::single(input(2), Some(5)).expect("an exchange");
    let producer = single.producer(input(2), 1).expect("a producer");
    let consumer = single.consumer(8, 1).expect("a consumer");
    expect![[r#"
    "#]]
    .assert_eq(&(show(producer.as_ref()) + &show(consumer.as_ref())));
}
