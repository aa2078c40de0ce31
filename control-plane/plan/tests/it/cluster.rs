//! Runs a stage graph in this process: every task decoded, bound and run as an executor would, every exchange through S3.

use crate::world::{CONTROL, World};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use mayfly_exchange::{Position, ReadSettings, ResultReader, Writer, WriterSettings};
use mayfly_fragment::{AllowedLocations, FooterCache, ScanMeter, Sources};
use mayfly_plan::PlannedQuery;
use mayfly_protocol::spec::{PartitionSlice, PlanRef};
use mayfly_protocol::{
    AttemptId, Digest, EpochMs, InputBinding, InputRead, Nonce, Output, OutputLocation, OutputSpec, PartitionRange,
    ProducerSlice, QueryId, ScanBinding, SliceSource, Stage, StageId, StageInput, TaskId, TaskSpec, TenantId,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What running a query published, by stage.
pub struct Run<'a> {
    world: &'a World,
    query: QueryId,
    outputs: BTreeMap<StageId, Vec<Output>>,
    footers: Arc<FooterCache>,
}

/// Runs all stages and returns the result's rows, in the result's order.
pub async fn run(world: &World, planned: &PlannedQuery) -> Result<Vec<RecordBatch>, String> {
    planned.graph.check().unwrap();
    let mut run = Run {
        world,
        query: format!("q{}", uuid()).parse().unwrap(),
        outputs: BTreeMap::new(),
        footers: Arc::default(),
    };
    for stage in &planned.graph.stages {
        let mut outputs = Vec::new();
        for task in 0..stage.tasks.len() {
            outputs.push(run.task(stage, task).await?);
        }
        run.outputs.insert(stage.id, outputs);
    }
    let root = planned.graph.root().unwrap().id;
    let outputs = run.outputs.remove(&root).unwrap();
    Ok(result(world, outputs, planned.schema.clone()).await)
}

fn uuid() -> u128 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos()
}

async fn result(world: &World, outputs: Vec<Output>, schema: SchemaRef) -> Vec<RecordBatch> {
    let reader = ResultReader::new(world.store.clone(), CONTROL.to_owned(), outputs, schema);
    let mut at = Position::default();
    let mut batches = Vec::new();
    while let Some(batch) = reader.next_batch(&mut at).await.unwrap() {
        batches.push(batch);
    }
    batches
}

impl Run<'_> {
    async fn task(&self, stage: &Stage, task: usize) -> Result<Output, String> {
        let spec = self.spec(stage, task);
        let state = mayfly_fragment::session_state_builder(mayfly_fragment::execution_config(&spec.settings).unwrap())
            .with_runtime_env(mayfly_fragment::runtime_env_builder().build_arc().unwrap())
            .build();
        let context: Arc<TaskContext> = SessionContext::new_with_state(state).task_ctx();
        let decoded = mayfly_fragment::decode(&stage.plan, &context).map_err(|cause| cause.to_string())?;
        let sources = Sources {
            store: self.world.store.clone(),
            bucket: CONTROL.to_owned(),
            footers: self.footers.clone(),
            allowed: AllowedLocations::any(),
            scanned: Arc::new(ScanMeter::default()),
            read: ReadSettings::default(),
            interrupt: Default::default(),
        };
        let root = mayfly_fragment::bind(decoded, &spec, &sources, &context).map_err(|cause| cause.to_string())?;
        let mut writer = Writer::new(root.schema(), self.writer_settings(&spec)).map_err(|cause| cause.to_string())?;
        mayfly_fragment::write(&root, &context, &mut writer)
            .await
            .map_err(|cause| chain(&cause))?;
        let published = writer
            .publish(&self.world.store, &spec.output, Nonce(1), &spec.attempt)
            .await;
        published.map_err(|cause| cause.to_string())
    }

    fn writer_settings(&self, spec: &TaskSpec) -> WriterSettings {
        WriterSettings {
            partitions: spec.output.partitions,
            memory_bytes_max: 64 << 20,
            spill_folder: self.world.folder.path().to_owned(),
            spill_bytes_max: 1 << 30,
        }
    }

    fn spec(&self, stage: &Stage, task: usize) -> TaskSpec {
        let template = &stage.tasks[task];
        let attempt = AttemptId {
            query: self.query.clone(),
            task: TaskId {
                stage: stage.id,
                index: task as u32,
            },
            epoch: 1,
            number: 0,
        };
        let scans = template.scans.iter().enumerate().map(|(scan, splits)| ScanBinding {
            scan: scan as u32,
            splits: splits.clone(),
        });
        let inputs = stage.inputs.iter().map(|input| self.input(input, template.partitions));
        TaskSpec {
            plan: PlanRef::Inline(stage.plan.clone()),
            scans: scans.collect(),
            inputs: inputs.collect(),
            output: OutputSpec {
                bucket: CONTROL.to_owned(),
                key_prefix: mayfly_protocol::key::output_prefix(&TenantId::default(), &attempt),
                partitions: stage.output.partitions,
                inline_bytes_max: 1_024,
            },
            attempt,
            local_partitions: stage.local_partitions,
            size: stage.size,
            memory_bytes_max: None,
            sort_merge_joins: false,
            cancel_key: None,
            deadline: EpochMs(u64::MAX),
            sent: None,
            settings: BTreeMap::new(),
            pin_digest: Digest::of(b"test"),
        }
    }

    fn input(&self, input: &StageInput, own: PartitionRange) -> InputBinding {
        let partitions = match input.read {
            InputRead::Partitions => own,
            InputRead::All | InputRead::Merge => PartitionRange::new(0, 1),
        };
        let outputs = &self.outputs[&input.stage];
        let slices = outputs.iter().enumerate().map(|(index, output)| {
            let stage = input.stage;
            slice(
                TaskId {
                    stage,
                    index: index as u32,
                },
                output,
                partitions,
            )
        });
        InputBinding {
            input: input.input,
            stage: input.stage,
            read: input.read,
            partitions,
            producers: PartitionRange::new(0, outputs.len() as u32),
            slices: slices.collect(),
        }
    }
}

fn slice(producer: TaskId, output: &Output, range: PartitionRange) -> ProducerSlice {
    let entries = &output.partitions[range.start as usize..range.end as usize];
    let before: u64 = output.partitions[..range.start as usize]
        .iter()
        .map(|entry| entry.len_bytes)
        .sum();
    let length: u64 = entries.iter().map(|entry| entry.len_bytes).sum();
    let source = match &output.location {
        _ if length == 0 => SliceSource::Empty,
        OutputLocation::Object {
            key, etag, data_offset, ..
        } => SliceSource::Object {
            key: key.clone(),
            etag: etag.clone(),
            offset: data_offset + before,
        },
        OutputLocation::Inline { bytes } => SliceSource::Inline {
            bytes: bytes[before as usize..(before + length) as usize].to_vec(),
        },
    };
    ProducerSlice {
        producer,
        source,
        partitions: entries
            .iter()
            .map(|entry| PartitionSlice {
                len_bytes: entry.len_bytes,
                rows: entry.rows,
                digest: entry.digest,
            })
            .collect(),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
