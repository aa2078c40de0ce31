//! The build side of a nested-loop join, which may be read twice but runs once.
//!
//! When its build side does not fit its memory, DataFusion's join runs that side's plan again, to write it to disk. But streams of an
//! exchange are gone once read, and a join below has given its rows away: it would yield none. So what the side has yielded is kept, on disk
//! but for the last of it, and the second reader gets that first, and then what is left of the first run.
//!
//! ```text
//! first reader:   run ──▶ batches ──▶ join runs out of memory
//!                           └─▶ kept
//! second reader:  kept ──▶ the rest of the run
//! ```
//! Where several partitions would each take their own matches for all matches, reading twice is refused: the task has too little memory.

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, JoinType, Result, Statistics, internal_err, resources_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, SpillFile, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::{SpillManager, get_record_batch_memory_size};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of batches that are kept in memory before they go to disk.
const HELD_BYTES_MAX: usize = 1 << 20;

/// The same join over a build side that runs once.
pub(super) fn build_side(join: &NestedLoopJoinExec) -> Arc<dyn ExecutionPlan> {
    let is_alone = join.right().output_partitioning().partition_count() == 1;
    let needs_all_matches = matches!(
        join.join_type(),
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark | JoinType::Full
    );
    Arc::new(ReplayExec::new(Arc::clone(join.left()), is_alone || !needs_all_matches))
}

/// Runs its input once, for at most two readers, the second of which comes when the first has given up.
#[derive(Debug)]
struct ReplayExec {
    input: Arc<dyn ExecutionPlan>,
    may_repeat: bool,
    run: Mutex<Run>,
    metrics: ExecutionPlanMetricsSet,
}

#[derive(Default)]
enum Run {
    #[default]
    Ahead,
    Under(Tape),
    Repeated,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Run::Ahead => "ahead",
            Run::Under(_) => "under way",
            Run::Repeated => "repeated",
        })
    }
}

/// Both readers' view of the one run. The lock is never contended: the first reader is gone when the second comes.
type Tape = Arc<tokio::sync::Mutex<Taped>>;

struct Taped {
    run: SendableRecordBatchStream,
    disk: SpillManager,
    kept: Kept,
    /// How the run itself ran out of memory, which the join takes for its own want.
    exhausted: Option<String>,
}

/// What the run has yielded so far.
#[derive(Default)]
struct Kept {
    /// Nothing is kept: nobody may read it again, or there is no room on disk.
    is_lost: bool,
    files: Vec<Arc<dyn SpillFile>>,
    held: Vec<RecordBatch>,
    held_bytes: usize,
}

impl Kept {
    fn add(&mut self, batch: &RecordBatch, disk: &SpillManager) {
        if self.is_lost {
            return;
        }
        self.held_bytes += get_record_batch_memory_size(batch);
        self.held.push(batch.clone());
        if self.held_bytes > HELD_BYTES_MAX {
            let held = std::mem::take(&mut self.held);
            self.held_bytes = 0;
            match disk.spill_record_batch_and_finish(&held, "NestedLoopJoin build side") {
                Ok(file) => self.files.extend(file),
                Err(_) => *self = Kept::lost(),
            }
        }
    }

    fn lost() -> Kept {
        Kept {
            is_lost: true,
            ..Kept::default()
        }
    }
}

impl Taped {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let next = self.run.try_next().await;
        match &next {
            Ok(Some(batch)) => self.kept.add(batch, &self.disk),
            Ok(None) => {}
            Err(cause) => {
                if let DataFusionError::ResourcesExhausted(message) = cause.find_root() {
                    self.exhausted = Some(message.clone());
                }
            }
        }
        next
    }

    /// What was kept, in the order in which it came. From now on nothing is.
    fn replay(&mut self) -> Result<SendableRecordBatchStream> {
        let kept = std::mem::replace(&mut self.kept, Kept::lost());
        if let Some(message) = &self.exhausted {
            return Err(DataFusionError::ResourcesExhausted(message.clone()));
        }
        if kept.is_lost {
            return Err(resources_datafusion_err!(
                "the build side of a nested-loop join does not fit"
            ));
        }
        let disk = self.disk.clone();
        let files = stream::iter(kept.files);
        let files = files
            .map(move |file| disk.read_spill_as_stream(file, None))
            .try_flatten();
        let held = stream::iter(kept.held.into_iter().map(Ok));
        let batches = files.chain(held);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.run.schema(), batches)))
    }
}

fn rest(tape: Tape) -> impl futures::Stream<Item = Result<RecordBatch>> + Send {
    stream::try_unfold(tape, |tape| async move {
        let next = tape.lock().await.next().await?;
        Ok(next.map(|batch| (batch, tape)))
    })
}

impl ReplayExec {
    fn new(input: Arc<dyn ExecutionPlan>, may_repeat: bool) -> ReplayExec {
        ReplayExec {
            input,
            may_repeat,
            run: Mutex::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    fn first(&self, run: &mut Run, context: &Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(0, Arc::clone(context))?;
        let metrics = SpillMetrics::new(&self.metrics, 0);
        let disk = SpillManager::new(context.runtime_env(), metrics, self.schema());
        let tape = Arc::new(tokio::sync::Mutex::new(Taped {
            run: input,
            disk: disk.with_compression_type(context.session_config().spill_compression()),
            kept: match self.may_repeat {
                true => Kept::default(),
                false => Kept::lost(),
            },
            exhausted: None,
        }));
        *run = Run::Under(Arc::clone(&tape));
        let batches = rest(tape);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn second(&self, tape: Tape) -> SendableRecordBatchStream {
        let again = Arc::clone(&tape);
        let kept = stream::once(async move { again.lock().await.replay() }).try_flatten();
        let batches = kept.chain(rest(tape));
        Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches))
    }

    fn with_input(&self, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = crate::node::only_child("ReplayExec", children)?;
        Ok(Arc::new(ReplayExec::new(input, self.may_repeat)))
    }
}

impl DisplayAs for ReplayExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayExec")
    }
}

impl ExecutionPlan for ReplayExec {
    fn name(&self) -> &'static str {
        "ReplayExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a build side has one partition, not {partition}");
        }
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *run, Run::Repeated) {
            Run::Ahead => self.first(&mut run, &context),
            Run::Under(tape) => Ok(self.second(tape)),
            Run::Repeated => internal_err!("a build side was read twice before"),
        }
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }

    /// What is run anew is read anew.
    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(vec![Arc::clone(&self.input)])
    }
}

#[cfg(test)]
mod tests;
