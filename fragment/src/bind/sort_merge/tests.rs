//! A join that is sorted and merged yields the hash join's rows, in less memory than the hash join takes.

use super::instead;
use datafusion::arrow::array::{Int32Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::{JoinSide, JoinType, NullEquality};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, col};
use datafusion::physical_plan::joins::utils::{ColumnIndex, JoinFilter};
use datafusion::physical_plan::joins::{HashJoinExecBuilder, PartitionMode, SortMergeJoinExec};
use datafusion::physical_plan::{ExecutionPlan, collect};
use std::sync::Arc;

const TYPES: [JoinType; 10] = [
    JoinType::Inner,
    JoinType::Left,
    JoinType::Right,
    JoinType::Full,
    JoinType::LeftSemi,
    JoinType::RightSemi,
    JoinType::LeftAnti,
    JoinType::RightAnti,
    JoinType::LeftMark,
    JoinType::RightMark,
];

/// `rows` rows of a key with repetitions and nulls, a number and a text, in small batches.
fn side(rows: i32, step: i32) -> Arc<dyn ExecutionPlan> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("k", DataType::Int32, true),
        Field::new("n", DataType::Int32, false),
        Field::new("t", DataType::Utf8, false),
    ]));
    let batch = |start: i32| {
        let rows = start..rows.min(start + 500);
        let keys = rows.clone().map(|row| (row % 11 != 0).then_some(row * step % 97));
        let keys: Int32Array = keys.collect();
        let numbers: Int32Array = rows.clone().map(|row| Some(row % 13)).collect();
        let texts: StringArray = rows.map(|row| Some(format!("text {row} of a row"))).collect();
        let columns: [datafusion::arrow::array::ArrayRef; 3] = [Arc::new(keys), Arc::new(numbers), Arc::new(texts)];
        RecordBatch::try_new(schema.clone(), columns.into()).expect("one length")
    };
    let batches = (0..rows).step_by(500).map(batch).collect();
    MemorySourceConfig::try_new_exec(&[batches], schema.clone(), None).expect("one schema")
}

fn filter() -> JoinFilter {
    let schema = Schema::new(vec![
        Field::new("n", DataType::Int32, false),
        Field::new("m", DataType::Int32, false),
    ]);
    let (n, m) = (col("n", &schema).expect("n"), col("m", &schema).expect("m"));
    let index = |side| ColumnIndex { index: 1, side };
    JoinFilter::new(
        Arc::new(BinaryExpr::new(n, Operator::Lt, m)),
        vec![index(JoinSide::Left), index(JoinSide::Right)],
        Arc::new(schema),
    )
}

fn join(join_type: JoinType, filtered: bool, null_equality: NullEquality) -> HashJoinExecBuilder {
    let (left, right) = (side(300, 7), side(500, 3));
    let on = vec![(
        col("k", &left.schema()).expect("k"),
        col("k", &right.schema()).expect("k"),
    )];
    HashJoinExecBuilder::new(left, right, on, join_type)
        .with_partition_mode(PartitionMode::CollectLeft)
        .with_null_equality(null_equality)
        .with_filter(filtered.then(filter))
}

async fn rows(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Vec<String> {
    let batches = collect(plan, context).await.expect("rows");
    let table = pretty_format_batches(&batches).expect("printable").to_string();
    let mut lines: Vec<String> = table.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn is_merged(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<SortMergeJoinExec>() || plan.children().into_iter().any(is_merged)
}

#[tokio::test]
async fn every_type_of_join_yields_the_same_rows() {
    for join_type in TYPES {
        for filtered in [false, true] {
            for nulls in [NullEquality::NullEqualsNothing, NullEquality::NullEqualsNull] {
                let hashed = join(join_type, filtered, nulls).build_exec().expect("a join");
                let merged = instead(hashed.clone()).expect("a join");
                let case = format!("{join_type} filtered={filtered} {nulls:?}");
                assert!(is_merged(&merged), "{case}");
                assert_eq!(merged.schema(), hashed.schema(), "{case}");
                let context = || Arc::new(TaskContext::default());
                assert_eq!(rows(merged, context()).await, rows(hashed, context()).await, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn the_columns_that_a_join_leaves_out_stay_out() {
    let hashed = join(JoinType::Inner, true, NullEquality::NullEqualsNothing);
    let hashed = hashed.with_projection(Some(vec![5, 1])).build_exec().expect("a join");
    let merged = instead(hashed.clone()).expect("a join");
    assert_eq!(merged.schema(), hashed.schema());
    let context = || Arc::new(TaskContext::default());
    assert_eq!(rows(merged, context()).await, rows(hashed, context()).await);
}

#[test]
fn a_null_aware_join_stays_hashed() {
    let hashed = join(JoinType::LeftAnti, false, NullEquality::NullEqualsNothing).with_null_aware(true);
    let hashed = hashed.build_exec().expect("a join");
    assert!(!is_merged(&instead(hashed).expect("a join")));
}

#[tokio::test]
async fn a_build_side_beyond_the_pool_spills() {
    // Each anew: a join keeps how building went.
    let hashed = || {
        let (left, right) = (side(60_000, 7), side(2_000, 5));
        let on = vec![(
            col("t", &left.schema()).expect("t"),
            col("t", &right.schema()).expect("t"),
        )];
        let join = HashJoinExecBuilder::new(left, right, on, JoinType::Inner);
        let join = join.with_partition_mode(PartitionMode::CollectLeft);
        join.build_exec().expect("a join")
    };
    let context = || {
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(3 << 20)));
        let config = datafusion::prelude::SessionConfig::new()
            .with_batch_size(1_024)
            .with_sort_spill_reservation_bytes(256 << 10);
        let context = TaskContext::default().with_session_config(config);
        Arc::new(context.with_runtime(runtime.build_arc().expect("a runtime")))
    };
    let error = collect(hashed(), context()).await;
    let error = error.expect_err("its hash table is larger").to_string();
    assert!(error.contains("Resources exhausted"), "{error}");
    let merged = rows(instead(hashed()).expect("a join"), context()).await;
    assert_eq!(merged, rows(hashed(), Arc::new(TaskContext::default())).await);
}
