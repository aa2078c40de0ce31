//! The least of a planner and of a scheduler: cuts a plan at every exchange, gives each stage its tasks, runs stage after stage.

use crate::cloud::{CONTROL_BUCKET, Cloud, deadline};
use crate::split_table::TABLES;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};
use mayfly_exchange::{Position, ResultReader};
use mayfly_fragment::{ExchangeExec, OutputPartitioning, ShuffleWriteExec, SplitScanExec, encode};
use mayfly_protocol::envelope::TaskAnswer;
use mayfly_protocol::key;
use mayfly_protocol::spec::{PartitionSlice, PlanRef};
use mayfly_protocol::{
    AttemptId, Digest, FunctionSize, InputBinding, InputRead, Output, OutputLocation, OutputSpec, PartitionRange,
    PlanBytes, ProducerSlice, ScanBinding, SliceSource, Split, StageId, TaskId, TaskReport, TaskSpec, TenantId,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Exchange partitions: not a multiple of the tasks, and more than one per local partition.
const EXCHANGE_PARTITIONS: u32 = 16;

/// How the stages of one query are run.
#[derive(Clone, Debug)]
pub struct Run {
    pub tasks: u32,
    pub local_partitions: u32,
    pub memory_bytes_max: Option<u64>,
    pub settings: BTreeMap<String, String>,
    /// Outputs up to this size ride in reports.
    pub inline_bytes_max: u64,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            tasks: 3,
            local_partitions: 3,
            memory_bytes_max: None,
            settings: BTreeMap::new(),
            inline_bytes_max: 0,
        }
    }
}

/// A stage: its plan, and what it reads from which earlier stage.
pub struct Stage {
    pub plan: Arc<dyn ExecutionPlan>,
    inputs: Vec<(usize, InputRead)>,
}

/// Cuts at every exchange.
pub fn cut(plan: Arc<dyn ExecutionPlan>) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut inputs = Vec::new();
    let root = descend(plan, false, &mut inputs, &mut stages).expect("the plan can be cut");
    stages.push(Stage {
        plan: Arc::new(ShuffleWriteExec::new(root, OutputPartitioning::Single)),
        inputs,
    });
    stages
}

/// The whole plan as one stage, its repartitions within the process.
pub fn whole(plan: Arc<dyn ExecutionPlan>) -> Vec<Stage> {
    let plan = Arc::new(ShuffleWriteExec::new(plan, OutputPartitioning::Single));
    vec![Stage {
        plan,
        inputs: Vec::new(),
    }]
}

fn descend(
    node: Arc<dyn ExecutionPlan>,
    builds: bool,
    inputs: &mut Vec<(usize, InputRead)>,
    stages: &mut Vec<Stage>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(exchange) = exchange(&node, builds)? else {
        let broadcasts = broadcasts_left(&node);
        let children = node.children().into_iter().cloned().enumerate();
        let children = children.map(|(nth, child)| descend(child, broadcasts && nth == 0, inputs, stages));
        let children = children.collect::<Result<Vec<_>>>()?;
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        return if children.is_empty() {
            Ok(node)
        } else {
            node.replace_children(children, options)
        };
    };
    let mut below = Vec::new();
    let input = descend(Arc::clone(&exchange.input), false, &mut below, stages)?;
    stages.push(Stage {
        plan: exchange.producer(input, EXCHANGE_PARTITIONS),
        inputs: below,
    });
    let producer = stages.len() - 1;
    inputs.push((producer, exchange.read()));
    exchange.consumer(producer as u32, 2)
}

fn exchange(node: &Arc<dyn ExecutionPlan>, builds: bool) -> Result<Option<ExchangeExec>> {
    if let Some(node) = node.downcast_ref::<RepartitionExec>()
        && let Partitioning::Hash(keys, partitions) = node.partitioning()
    {
        let mut input = Arc::clone(node.input());
        // A round robin below spreads rows within a process only.
        if let Some(below) = input.downcast_ref::<RepartitionExec>() {
            input = Arc::clone(below.input());
        }
        return ExchangeExec::hash(input, keys.clone(), *partitions).map(Some);
    }
    if let Some(node) = node.downcast_ref::<SortPreservingMergeExec>() {
        return ExchangeExec::merge(Arc::clone(node.input()), node.expr().clone(), node.fetch()).map(Some);
    }
    if let Some(node) = node.downcast_ref::<CoalescePartitionsExec>() {
        let input = Arc::clone(node.input());
        return match builds {
            true => ExchangeExec::broadcast(input).map(Some),
            false => ExchangeExec::single(input, node.fetch()).map(Some),
        };
    }
    Ok(None)
}

fn broadcasts_left(node: &Arc<dyn ExecutionPlan>) -> bool {
    let hash = node.downcast_ref::<HashJoinExec>();
    hash.is_some_and(|join| *join.partition_mode() == PartitionMode::CollectLeft)
        || node.downcast_ref::<NestedLoopJoinExec>().is_some()
        || node.downcast_ref::<CrossJoinExec>().is_some()
}

/// Scans of a plan: ordinal and table.
fn scans(plan: &Arc<dyn ExecutionPlan>) -> Vec<(u32, String)> {
    let own = plan
        .downcast_ref::<SplitScanExec>()
        .map(|scan| (scan.scan, scan.table.to_string()));
    own.into_iter()
        .chain(plan.children().into_iter().flat_map(scans))
        .collect()
}

/// Whether a broadcast join of the plan yields build rows by itself: each task would yield them again.
fn repeats_rows(plan: &Arc<dyn ExecutionPlan>) -> bool {
    use datafusion::common::JoinType;
    let safe = |join: &HashJoinExec| {
        let kind = join.join_type();
        *join.partition_mode() != PartitionMode::CollectLeft
            || matches!(
                kind,
                JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti
            )
    };
    plan.downcast_ref::<HashJoinExec>().is_some_and(|join| !safe(join)) || plan.children().into_iter().any(repeats_rows)
}

/// The specs of a stage, one per task.
pub fn specs(nth: usize, stage: &Stage, done: &[Vec<TaskReport>], tables: &[Vec<Split>], run: &Run) -> Vec<TaskSpec> {
    let scans = scans(&stage.plan);
    let gathers = stage.inputs.iter().any(|&(_, read)| read != InputRead::Partitions);
    let spreads = stage.inputs.iter().any(|&(_, read)| read == InputRead::Partitions) || !scans.is_empty();
    // A gather makes the stage one task, unless it is a broadcast beside something that is spread.
    let repeats = repeats_rows(&stage.plan);
    let tasks = if spreads && !repeats && !(gathers && stage.inputs.iter().any(|&(_, read)| read == InputRead::Merge)) {
        run.tasks
    } else {
        1
    };
    let partitions = match stage.plan.downcast_ref::<ShuffleWriteExec>() {
        Some(write) => write.partitioning.partitions(),
        None => panic!("the root is a writer"),
    };
    let plan = PlanBytes::new(encode(&stage.plan).expect("the stage can be sent"));
    let spec = |task: u32| {
        let mine = PartitionRange::new(0, EXCHANGE_PARTITIONS).piece(task, tasks);
        let id = TaskId {
            stage: StageId::new(nth as u32),
            index: task,
        };
        let attempt = AttemptId {
            query: "q".parse().expect("an id"),
            task: id,
            epoch: 1,
            number: 0,
        };
        TaskSpec {
            plan: PlanRef::Inline(plan.clone()),
            scans: scans
                .iter()
                .map(|(scan, table)| share(*scan, table, tables, task, tasks))
                .collect(),
            inputs: stage
                .inputs
                .iter()
                .map(|&(producer, read)| bind(producer, read, &done[producer], mine))
                .collect(),
            output: OutputSpec {
                bucket: CONTROL_BUCKET.to_owned(),
                key_prefix: key::output_prefix(&TenantId::default(), &attempt),
                partitions,
                inline_bytes_max: run.inline_bytes_max,
            },
            attempt,
            local_partitions: run.local_partitions,
            size: FunctionSize::One,
            memory_bytes_max: run.memory_bytes_max,
            sort_merge_joins: false,
            cancel_key: None,
            deadline: deadline(Duration::from_secs(60)),
            sent: None,
            settings: run.settings.clone(),
            pin_digest: Digest::of(b"pinned"),
        }
    };
    (0..tasks).map(spec).collect()
}

fn share(scan: u32, table: &str, tables: &[Vec<Split>], task: u32, tasks: u32) -> ScanBinding {
    let at = TABLES.iter().position(|name| *name == table).expect("a known table");
    let splits = tables[at]
        .iter()
        .enumerate()
        .filter(|(nth, _)| *nth as u32 % tasks == task);
    ScanBinding {
        scan,
        splits: splits.map(|(_, split)| split.clone()).collect(),
    }
}

fn bind(producer: usize, read: InputRead, reports: &[TaskReport], mine: PartitionRange) -> InputBinding {
    let all = PartitionRange::new(0, reports[0].output.partitions.len() as u32);
    let partitions = if read == InputRead::Partitions { mine } else { all };
    InputBinding {
        input: producer as u32,
        stage: StageId::new(producer as u32),
        read,
        partitions,
        producers: PartitionRange::new(0, reports.len() as u32),
        slices: reports.iter().map(|report| slice(report, partitions)).collect(),
    }
}

fn slice(report: &TaskReport, range: PartitionRange) -> ProducerSlice {
    let Output { location, partitions } = &report.output;
    let before: u64 = partitions[..range.start as usize]
        .iter()
        .map(|entry| entry.len_bytes)
        .sum();
    let mine = &partitions[range.start as usize..range.end as usize];
    let len: u64 = mine.iter().map(|entry| entry.len_bytes).sum();
    let source = match location {
        _ if len == 0 => SliceSource::Empty,
        OutputLocation::Object {
            key, etag, data_offset, ..
        } => SliceSource::Object {
            key: key.clone(),
            etag: etag.clone(),
            offset: data_offset + before,
        },
        OutputLocation::Inline { bytes } => SliceSource::Inline {
            bytes: bytes[before as usize..(before + len) as usize].to_vec(),
        },
    };
    let partitions = mine.iter().map(|entry| PartitionSlice {
        len_bytes: entry.len_bytes,
        rows: entry.rows,
        digest: entry.digest,
    });
    ProducerSlice {
        producer: report.attempt.task,
        source,
        partitions: partitions.collect(),
    }
}

pub fn report(answer: TaskAnswer) -> TaskReport {
    match answer {
        TaskAnswer::Done(report) => report,
        TaskAnswer::Failed { failure, .. } => panic!("the task failed: {failure}"),
    }
}

/// Runs all stages; returns the reports by stage and the rows of the last.
pub async fn run(
    cloud: &Cloud,
    stages: &[Stage],
    tables: &[Vec<Split>],
    run: &Run,
) -> (Vec<Vec<TaskReport>>, Vec<RecordBatch>) {
    let mut done: Vec<Vec<TaskReport>> = Vec::new();
    for (nth, stage) in stages.iter().enumerate() {
        let mut reports = Vec::new();
        for spec in specs(nth, stage, &done, tables, run) {
            reports.push(report(mayfly_executor::execute(spec, &cloud.environment).await));
        }
        done.push(reports);
    }
    assert!(cloud.environment.is_clean());
    let outputs = done
        .last()
        .expect("a stage")
        .iter()
        .map(|report| report.output.clone())
        .collect();
    let schema = stages.last().expect("a stage").plan.schema();
    let reader = ResultReader::new(cloud.store.clone(), CONTROL_BUCKET.to_owned(), outputs, schema);
    let (mut at, mut batches) = (Position::default(), Vec::new());
    while let Some(batch) = reader.next_batch(&mut at).await.expect("the result is there") {
        batches.push(batch);
    }
    (done, batches)
}
