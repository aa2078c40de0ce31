//! The driver of a stage: every row to the partition that DataFusion would give it, and a clean end whatever a partition does.

use crate::split_table::{batch, planner};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::Time;
use datafusion::physical_plan::repartition::BatchPartitioner;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use mayfly_exchange::{Writer, WriterSettings};
use mayfly_fragment::{OutputPartitioning, ShuffleWriteExec, WriteError, write};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn writer(schema: SchemaRef, partitions: u32) -> Writer {
    let settings = WriterSettings {
        partitions,
        memory_bytes_max: 1 << 20,
        spill_folder: std::env::temp_dir(),
        spill_bytes_max: 1 << 20,
    };
    Writer::new(schema, settings).expect("a plain schema")
}

/// What a partition of the broken leaf does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Panics,
    Fails,
    Hangs,
}

/// A leaf whose partitions misbehave.
#[derive(Debug)]
struct Broken {
    does: Vec<Does>,
    dropped: Arc<AtomicBool>,
    properties: Arc<PlanProperties>,
}

/// Tells that its partition was dropped.
struct Witness(Arc<AtomicBool>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl DisplayAs for Broken {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broken")
    }
}

impl ExecutionPlan for Broken {
    fn name(&self) -> &str {
        "Broken"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (does, witness) = (self.does[partition], Witness(Arc::clone(&self.dropped)));
        let stream = futures::stream::once(async move {
            let _witness = witness;
            match does {
                Does::Panics => panic!("kaboom"),
                Does::Fails => exec_err!("no"),
                Does::Hangs => {
                    tokio::time::sleep(Duration::from_secs(3600)).await;
                    exec_err!("an hour passed")
                }
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }
}

/// The error of a stage over such a leaf; asserts that nothing of it is left.
async fn failure(does: &[Does]) -> WriteError {
    let schema = batch("shops").schema();
    let dropped = Arc::new(AtomicBool::new(false));
    let properties = PlanProperties::new(
        EquivalenceProperties::new(schema.clone()),
        Partitioning::UnknownPartitioning(does.len()),
        EmissionType::Incremental,
        Boundedness::Bounded,
    );
    let leaf = Broken {
        does: does.to_vec(),
        dropped: Arc::clone(&dropped),
        properties: Arc::new(properties),
    };
    let stage = ShuffleWriteExec::new(Arc::new(leaf), OutputPartitioning::Single);
    let mut writer = writer(schema, 1);
    let context = planner(&[]).task_ctx();
    let ended = tokio::time::timeout(Duration::from_secs(20), write(&stage, &context, &mut writer)).await;
    let error = ended
        .expect("a stage ends when one of its partitions does")
        .expect_err("it failed");
    assert!(dropped.load(Ordering::SeqCst));
    error
}

#[tokio::test]
async fn a_panic_is_an_error_and_ends_its_siblings() {
    let error = failure(&[Does::Hangs, Does::Panics, Does::Hangs]).await;
    assert!(
        matches!(&error, WriteError::Panicked { message } if message == "kaboom"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_error_ends_its_siblings() {
    let error = failure(&[Does::Hangs, Does::Fails]).await;
    assert!(matches!(&error, WriteError::Plan(_)), "{error:?}");
}

fn memory(batch: &RecordBatch, partitions: usize) -> Arc<dyn ExecutionPlan> {
    let rows = batch.num_rows() / partitions;
    let parts: Vec<Vec<RecordBatch>> = (0..partitions)
        .map(|part| vec![batch.slice(part * rows, rows)])
        .collect();
    MemorySourceConfig::try_new_exec(&parts, batch.schema(), None).expect("one schema")
}

/// Rows per exchange partition, read back from the published output.
async fn counts(stage: ShuffleWriteExec, partitions: u32) -> Vec<u64> {
    let mut writer = writer(stage.input.schema(), partitions);
    let context = planner(&[]).task_ctx();
    let rows = write(&stage, &context, &mut writer).await.expect("the stage runs");
    let store = mayfly_store::Store::connect(&Default::default()).await;
    let output = mayfly_protocol::OutputSpec {
        bucket: "none".to_owned(),
        key_prefix: "x/".to_owned(),
        partitions,
        inline_bytes_max: u64::MAX,
    };
    let attempt = "q/s0/t0/a0".parse().expect("an id");
    let nonce = mayfly_protocol::Nonce(7);
    let output = writer
        .publish(&store, &output, nonce, &attempt)
        .await
        .expect("it rides inline");
    assert_eq!(output.rows(), rows);
    output.partitions.iter().map(|partition| partition.rows).collect()
}

#[tokio::test]
async fn rows_go_where_datafusion_would_send_them() {
    let batch = batch("sales").slice(0, 9_000);
    let keys = vec![
        col("id", &batch.schema()).expect("a column"),
        col("note", &batch.schema()).expect("a column"),
    ];
    for partitions in [1u32, 7, 16] {
        let mut expected = vec![0; partitions as usize];
        let partitioner = BatchPartitioner::new_hash_partitioner(keys.clone(), partitions as usize, Time::new());
        partitioner
            .expect("partitions")
            .partition(batch.clone(), |partition, rows| {
                expected[partition] += rows.num_rows() as u64;
                Ok(())
            })
            .expect("hashable");
        let stage = ShuffleWriteExec::new(memory(&batch, 3), OutputPartitioning::Hash(keys.clone(), partitions));
        assert_eq!(counts(stage, partitions).await, expected);
    }
}

#[tokio::test]
async fn round_robin_is_even_and_single_is_one() {
    let batch = batch("shops");
    let stage = ShuffleWriteExec::new(memory(&batch, 4), OutputPartitioning::RoundRobin(4));
    assert_eq!(counts(stage, 4).await, [10, 10, 10, 10]);
    let stage = ShuffleWriteExec::new(memory(&batch, 4), OutputPartitioning::Single);
    assert_eq!(counts(stage, 1).await, [40]);
}
