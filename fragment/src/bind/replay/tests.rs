//! A nested-loop join in little memory yields what it yields in much, though its build side is itself a join that gives its rows away.

use crate::Interrupt;
use datafusion::arrow::array::{Int32Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::{DataFusionError, JoinSide, JoinType, Result};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, col};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::NestedLoopJoinExecBuilder;
use datafusion::physical_plan::joins::utils::{ColumnIndex, JoinFilter};
use datafusion::physical_plan::{ExecutionPlan, collect};
use std::sync::Arc;

type Plan = Arc<dyn ExecutionPlan>;

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

/// A number and a text that takes room, in `partitions` partitions of small batches.
fn side(rows: i32, step: i32, partitions: usize) -> Plan {
    let schema = Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int32, false),
        Field::new("t", DataType::Utf8, false),
    ]));
    let batch = |start: i32| {
        let rows = start..rows.min(start + 50);
        let numbers: Int32Array = rows.clone().map(|row| Some(row * step)).collect();
        let texts: StringArray = rows.map(|row| Some(format!("{row}").repeat(100))).collect();
        RecordBatch::try_new(schema.clone(), vec![Arc::new(numbers), Arc::new(texts)]).expect("one length")
    };
    let batches: Vec<RecordBatch> = (0..rows).step_by(50).map(batch).collect();
    let of = |partition: usize| batches.iter().skip(partition).step_by(partitions).cloned().collect();
    let parts: Vec<Vec<RecordBatch>> = (0..partitions).map(of).collect();
    MemorySourceConfig::try_new_exec(&parts, schema.clone(), None).expect("one schema")
}

/// `left.n > right.n`.
fn join(join_type: JoinType, left: Plan, right: Plan) -> Plan {
    let field = |name| Field::new(name, DataType::Int32, true);
    let schema = Schema::new(vec![field("l"), field("r")]);
    let (l, r) = (col("l", &schema).expect("l"), col("r", &schema).expect("r"));
    let index = |side| ColumnIndex { index: 0, side };
    let filter = JoinFilter::new(
        Arc::new(BinaryExpr::new(l, Operator::Gt, r)),
        vec![index(JoinSide::Left), index(JoinSide::Right)],
        Arc::new(schema),
    );
    let join = NestedLoopJoinExecBuilder::new(left, right, join_type).with_filter(Some(filter));
    let guarded = Interrupt::default().guard(Arc::new(join.build().expect("a join")));
    guarded.expect("guarded").data
}

fn context(bytes: usize) -> Arc<TaskContext> {
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
    Arc::new(TaskContext::default().with_runtime(runtime.build_arc().expect("a runtime")))
}

/// A join whose build side is a join, and takes some 600 kB.
fn nested(join_type: JoinType, partitions: usize) -> Plan {
    let below = join(JoinType::Inner, side(100, 2, 1), side(40, 3, 2));
    let build = Arc::new(CoalescePartitionsExec::new(below));
    join(join_type, build, side(30, 5, partitions))
}

/// Texts follow from numbers; they are there to take room.
fn without_texts(batch: &RecordBatch) -> RecordBatch {
    let schema = batch.schema();
    let kept = schema.fields().iter().enumerate();
    let kept = kept.filter(|(_, field)| *field.data_type() != DataType::Utf8);
    let kept: Vec<usize> = kept.map(|(at, _)| at).collect();
    batch.project(&kept).expect("the columns are there")
}

async fn rows(plan: Plan, bytes: usize) -> Result<Vec<String>> {
    let batches = collect(plan, context(bytes)).await?;
    let batches: Vec<RecordBatch> = batches.iter().map(without_texts).collect();
    let table = pretty_format_batches(&batches)?.to_string();
    let mut rows: Vec<String> = table.lines().map(str::to_owned).collect();
    rows.sort();
    Ok(rows)
}

async fn check(join_type: JoinType, partitions: usize, bytes: usize) -> Result<()> {
    let expected = rows(nested(join_type, partitions), 1 << 30)
        .await
        .expect("enough memory");
    let found = rows(nested(join_type, partitions), bytes).await?;
    assert!(
        found == expected,
        "{join_type} over {partitions} partitions in {bytes} bytes"
    );
    Ok(())
}

#[tokio::test]
async fn one_partition_is_right_in_any_memory() {
    for join_type in TYPES {
        for bytes in [100_000, 300_000, 3_000_000] {
            check(join_type, 1, bytes).await.expect("it spills");
        }
    }
}

#[tokio::test]
async fn several_partitions_are_right_or_say_that_memory_is_short() {
    for join_type in TYPES {
        for bytes in [100_000, 300_000, 3_000_000] {
            match check(join_type, 3, bytes).await {
                Ok(()) => {}
                Err(error) => {
                    let root = error.find_root();
                    assert!(
                        matches!(root, DataFusionError::ResourcesExhausted(_)),
                        "{join_type}: {error}"
                    );
                }
            }
        }
        check(join_type, 3, 30_000_000).await.expect("there is enough");
    }
}

#[tokio::test]
async fn a_build_side_that_runs_out_of_memory_itself_says_so() {
    let short = join(JoinType::Left, side(1_000, 2, 1), side(40, 3, 3));
    let build = Arc::new(CoalescePartitionsExec::new(short));
    let error = rows(join(JoinType::Inner, build, side(30, 5, 1)), 100_000).await;
    let error = error.expect_err("too little memory");
    assert!(
        matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)),
        "{error}"
    );
}
