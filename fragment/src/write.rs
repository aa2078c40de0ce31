//! Runs a stage: all partitions of the root's input side by side, every row to its exchange partition.
//!
//! ```text
//! partition 0 ─ route ─┐
//! partition 1 ─ route ─┼─▶ channel ─▶ exchange::Writer
//! partition 2 ─ route ─┘
//! ```
//!
//! All partitions run at once because hash joins wait for all of theirs to report before a dynamic filter is complete.

use crate::node::shuffle_write::{OutputPartitioning, ShuffleWriteExec};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::common::hash_utils::create_hashes;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr_common::utils::evaluate_expressions_to_arrays;
use datafusion::physical_plan::repartition::REPARTITION_RANDOM_STATE;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use mayfly_exchange::{ExchangeError, Writer};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

/// Batches that wait for the writer, per partition.
const WAITING_BATCHES_MAX: usize = 2;

/// Why a stage did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(transparent)]
    Plan(#[from] DataFusionError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("a partition panicked: {message}")]
    Panicked { message: String },
}

/// Rows on their way to the writer.
enum Routed {
    Whole(u32, RecordBatch),
    Scattered(RecordBatch, Vec<u32>),
}

/// Runs the stage into `writer`; returns the rows written. When it returns, none of its partitions runs any more.
pub async fn write(
    plan: &ShuffleWriteExec,
    context: &Arc<TaskContext>,
    writer: &mut Writer,
) -> Result<u64, WriteError> {
    let input = in_order(plan);
    let partitions = input.output_partitioning().partition_count();
    let (sender, mut receiver) = mpsc::channel(partitions * WAITING_BATCHES_MAX);
    let mut running = JoinSet::new();
    for partition in 0..partitions {
        let stream = input.execute(partition, Arc::clone(context))?;
        let router = Router {
            partitioning: plan.partitioning.clone(),
            // Each input partition starts elsewhere, so that short inputs do not all land in partition 0.
            next: partition as u32 % plan.partitioning.partitions(),
        };
        running.spawn(run(stream, router, sender.clone()));
    }
    drop(sender);
    let written = collect(&mut receiver, &mut running, writer).await;
    running.shutdown().await;
    written
}

/// Keeps a sorted input sorted within the one partition that it goes to.
fn in_order(plan: &ShuffleWriteExec) -> Arc<dyn ExecutionPlan> {
    let input = Arc::clone(&plan.input);
    let several = input.output_partitioning().partition_count() > 1;
    match (&plan.partitioning, input.output_ordering().cloned()) {
        (OutputPartitioning::Single, Some(ordering)) if several => {
            Arc::new(SortPreservingMergeExec::new(ordering, input))
        }
        _ => input,
    }
}

/// Drains the channel. A partition that fails or panics ends the stage at once: its siblings may be waiting for it.
async fn collect(
    receiver: &mut mpsc::Receiver<Routed>,
    running: &mut JoinSet<Result<(), DataFusionError>>,
    writer: &mut Writer,
) -> Result<u64, WriteError> {
    let mut rows = 0;
    loop {
        tokio::select! {
            Some(ended) = running.join_next() => ended.map_err(panicked)??,
            routed = receiver.recv() => match routed {
                Some(routed) => rows += hand_over(writer, routed)?,
                None => break,
            },
        }
    }
    while let Some(ended) = running.join_next().await {
        ended.map_err(panicked)??;
    }
    Ok(rows)
}

fn panicked(error: JoinError) -> WriteError {
    let message = match error.try_into_panic() {
        Ok(payload) => panic_message(payload.as_ref()),
        Err(error) => error.to_string(),
    };
    WriteError::Panicked { message }
}

/// What a panic said.
pub fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

fn hand_over(writer: &mut Writer, routed: Routed) -> Result<u64, ExchangeError> {
    match routed {
        Routed::Whole(partition, batch) => {
            let rows = batch.num_rows() as u64;
            writer.push(partition, batch)?;
            Ok(rows)
        }
        Routed::Scattered(batch, partition_of_row) => {
            writer.scatter(&batch, &partition_of_row)?;
            Ok(batch.num_rows() as u64)
        }
    }
}

async fn run(
    mut stream: SendableRecordBatchStream,
    mut router: Router,
    sender: mpsc::Sender<Routed>,
) -> Result<(), DataFusionError> {
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        if batch.num_rows() == 0 {
            continue;
        }
        let routed = router.route(batch)?;
        if sender.send(routed).await.is_err() {
            // The stage ended for another reason, which its collector knows.
            break;
        }
    }
    Ok(())
}

struct Router {
    partitioning: OutputPartitioning,
    next: u32,
}

impl Router {
    fn route(&mut self, batch: RecordBatch) -> Result<Routed, DataFusionError> {
        match &self.partitioning {
            OutputPartitioning::Single => Ok(Routed::Whole(0, batch)),
            OutputPartitioning::RoundRobin(partitions) => {
                let partition = self.next;
                self.next = (partition + 1) % partitions;
                Ok(Routed::Whole(partition, batch))
            }
            OutputPartitioning::Hash(keys, partitions) => {
                let keys = evaluate_expressions_to_arrays(keys, &batch)?;
                let mut hashes = vec![0; batch.num_rows()];
                create_hashes(&keys, REPARTITION_RANDOM_STATE.random_state(), &mut hashes)?;
                let partitions = u64::from(*partitions);
                let partition_of_row = hashes.into_iter().map(|hash| (hash % partitions) as u32);
                Ok(Routed::Scattered(batch, partition_of_row.collect()))
            }
        }
    }
}
