//! The nodes among DataFusion's own rules and operators: filters, projections, limits, exchanges that run in one process.

use crate::split_table::{plan, planner};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use mayfly_fragment::{ExchangeExec, NoRowsExec};
use std::sync::Arc;

/// The plan's lines, trimmed.
async fn lines_of(sql: &str) -> Vec<String> {
    let plan = plan(&planner(&[]), sql).await;
    let text = displayable(plan.as_ref()).indent(false).to_string();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// The one line of the plan that starts so.
fn only<'a>(lines: &'a [String], start: &str) -> &'a str {
    let mut found = lines.iter().filter(|line| line.starts_with(start));
    match (found.next(), found.next()) {
        (Some(line), None) => line,
        _ => panic!("not one {start} in {lines:#?}"),
    }
}

#[tokio::test]
async fn filters_prune_the_scan_and_stay_above_it_once() {
    let lines = lines_of("select id from sales where shop = 3 and note is not null").await;
    let scan = only(&lines, "SplitScanExec: sales scan=0");
    for part in ["shop@1 = 3", "note@4 IS NOT NULL"] {
        assert_eq!(scan.matches(part).count(), 1, "{scan}");
    }
    only(&lines, "FilterExec");
}

#[tokio::test]
async fn filters_that_a_scan_cannot_judge_stay_away() {
    let lines = lines_of("select id from sales where price > (select max(shop) from shops) and random() < 0.5").await;
    let scan = only(&lines, "SplitScanExec: sales");
    assert!(!scan.contains("predicate"), "{scan}");
}

#[tokio::test]
async fn a_scan_reads_the_columns_that_are_wanted() {
    let lines = lines_of("select note from sales").await;
    assert!(
        only(&lines, "SplitScanExec: sales").contains("columns=[note]"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_tiny_table_is_still_planned_with_exchanges() {
    let lines = lines_of("select region, count(*) from shops group by region order by region").await;
    assert!(
        only(&lines, "RepartitionExec: partitioning=Hash").contains("region@0"),
        "{lines:?}"
    );
    only(&lines, "SortPreservingMergeExec");
}

#[tokio::test]
async fn a_limit_reaches_the_scan() {
    let lines = lines_of("select name from shops limit 5").await;
    assert!(only(&lines, "SplitScanExec: shops").contains("limit=5"), "{lines:?}");
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

#[test]
fn both_sides_of_a_cut_keep_fetch_and_order() {
    let order = LexOrdering::new([PhysicalSortExpr::new_default(
        col("shop", &input(2).schema()).expect("a column"),
    )]);
    let merge = ExchangeExec::merge(input(2), order.expect("not empty"), Some(5)).expect("an exchange");
    let single = ExchangeExec::single(input(2), Some(5)).expect("an exchange");
    for (exchange, operator, leaf) in [
        (merge, "SortPreservingMergeExec", "ShuffleReadExec: input=7, read=merge"),
        (single, "CoalescePartitionsExec", "ShuffleReadExec: input=7, read=all"),
    ] {
        let producer = exchange.producer(input(2), 1);
        let consumer = exchange.consumer(7, 3).expect("a consumer");
        for side in [&(producer as Arc<dyn ExecutionPlan>), &consumer] {
            let text = displayable(side.as_ref()).indent(false).to_string();
            assert!(text.contains(operator) && text.contains("fetch=5"), "{text}");
        }
        let text = displayable(consumer.as_ref()).indent(false).to_string();
        assert!(text.contains(leaf), "{text}");
    }
}

#[tokio::test]
async fn what_stands_for_nothing_refuses_rows() {
    let schema = Arc::new(Schema::new(vec![Field::new("other", DataType::Int64, true)]));
    let none = |input| Arc::new(NoRowsExec::new(input, schema.clone())) as Arc<dyn ExecutionPlan>;
    let context = planner(&[]).task_ctx();
    let empty = Arc::new(EmptyExec::new(input(1).schema()));
    let rows = collect(none(empty), context.clone())
        .await
        .expect("nothing comes of nothing");
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    let error = collect(none(input(1)), context).await.expect_err("it has rows");
    assert!(error.to_string().contains("has rows now"), "{error}");
}
