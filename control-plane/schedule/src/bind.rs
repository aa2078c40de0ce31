//! Builds specs: inputs bound to winners' outputs, scans to splits, the output to a key. After this nothing is left to choose.
//!
//! ```text
//! winner's object   │ header │ p0 │ p1 │ p2 │ p3 │ footer │
//!                            ▲    ▲         ▲
//!                  data_offset    └─ slice ─┘   partitions 1..3: one ranged GET at data_offset + len(p0)
//! ```

use crate::query::Query;
use crate::stage::StageState;
use crate::task::{Phase, TaskKey, Winner};
use crate::{Settings, pin_digest};
use mayfly_protocol::spec::{PartitionSlice, PlanRef};
use mayfly_protocol::{
    Digest, EpochMs, ErrorCode, InputBinding, InputRead, OutputLocation, OutputSpec, PartitionDigest, PartitionRange,
    ProducerSlice, QueryError, ScanBinding, SliceSource, StageInput, TaskId, TaskSpec, TaskTemplate, key, limits,
};

/// The order for the next attempt at a task whose inputs are complete.
pub(crate) fn spec(query: &Query, at: TaskKey, settings: &Settings, deadline: EpochMs) -> Result<TaskSpec, QueryError> {
    let stage = &query.stages[at.stage];
    let attempt = query.next_attempt(at);
    let inputs = inputs(query, at);
    let spec = TaskSpec {
        plan: stage.plan.clone(),
        scans: scans(stage, at),
        pin_digest: pin_digest(&stage.planned.plan.digest, &inputs),
        inputs,
        output: OutputSpec {
            bucket: settings.bucket.clone(),
            key_prefix: key::output_prefix(&settings.tenant, &attempt),
            partitions: stage.planned.output.partitions,
            inline_bytes_max: stage.inline_bytes_max,
        },
        local_partitions: stage.planned.local_partitions,
        size: stage.tasks[at.task].size,
        memory_bytes_max: query.limits.memory_bytes_max,
        sort_merge_joins: stage.tasks[at.task].tries.short_of_memory > 0,
        cancel_key: Some(key::cancel(&settings.tenant, &query.id)),
        deadline,
        sent: None,
        settings: query.settings.clone(),
        attempt,
    };
    check_size(&spec)?;
    Ok(spec)
}

/// What the task is pinned to as things stand.
pub(crate) fn pin(query: &Query, at: TaskKey) -> Digest {
    pin_digest(&query.stages[at.stage].planned.plan.digest, &inputs(query, at))
}

/// Everything that the task reads from other stages, all of which are complete.
pub(crate) fn inputs(query: &Query, at: TaskKey) -> Vec<InputBinding> {
    let stage = &query.stages[at.stage];
    let task = &stage.planned.tasks[at.task];
    let inputs = stage.planned.inputs.iter().zip(&stage.inputs);
    inputs
        .map(|(input, producer)| binding(input, &query.stages[*producer], task))
        .collect()
}

fn binding(input: &StageInput, producer: &StageState, task: &TaskTemplate) -> InputBinding {
    let partitions = match input.read {
        InputRead::Partitions => task.partitions,
        InputRead::All | InputRead::Merge => PartitionRange::new(0, producer.planned.output.partitions),
    };
    let whole = PartitionRange::new(
        0,
        u32::try_from(producer.tasks.len()).expect("the query checked TASKS_MAX"),
    );
    let share = task.share.filter(|share| share.input == input.input);
    let producers = share.map_or(whole, |share| share.producers);
    let read = (producers.start..producers.end).zip(&producer.tasks[producers.start as usize..producers.end as usize]);
    let slices = read.map(|(index, task)| {
        let stage = producer.id();
        let producer = TaskId { stage, index };
        match (&task.winner, task.phase) {
            (Some(winner), _) => slice(producer, winner, partitions),
            (None, Phase::Skipped) => nothing(producer, partitions),
            (None, _) => panic!("inputs are bound when they are complete"),
        }
    });
    InputBinding {
        input: input.input,
        stage: input.stage,
        read: input.read,
        partitions,
        producers,
        slices: slices.collect(),
    }
}

fn slice(producer: TaskId, winner: &Winner, range: PartitionRange) -> ProducerSlice {
    let entries = &winner.output.partitions[range.start as usize..range.end as usize];
    let partitions = entries.iter().map(|entry| PartitionSlice {
        len_bytes: entry.len_bytes,
        rows: entry.rows,
        digest: entry.digest,
    });
    let has_rows = entries.iter().any(|entry| entry.rows > 0);
    ProducerSlice {
        producer,
        partitions: partitions.collect(),
        source: if has_rows {
            source(winner, range)
        } else {
            SliceSource::Empty
        },
    }
}

/// What a task that did not run has published.
fn nothing(producer: TaskId, range: PartitionRange) -> ProducerSlice {
    let none = PartitionSlice {
        len_bytes: 0,
        rows: 0,
        digest: PartitionDigest::default(),
    };
    ProducerSlice {
        producer,
        partitions: vec![none; (range.end - range.start) as usize],
        source: SliceSource::Empty,
    }
}

fn source(winner: &Winner, range: PartitionRange) -> SliceSource {
    let bytes = winner.bytes(range);
    match &winner.output.location {
        OutputLocation::Object {
            key, etag, data_offset, ..
        } => SliceSource::Object {
            key: key.clone(),
            etag: etag.clone(),
            offset: data_offset + if mutant!(WrongOffset) { 0 } else { bytes.start },
        },
        OutputLocation::Inline { bytes: all } => SliceSource::Inline {
            bytes: all[bytes.start as usize..bytes.end as usize].to_vec(),
        },
    }
}

/// Of splits as planned, of slices encoded.
pub(crate) fn input_bytes(spec: &TaskSpec) -> u64 {
    let splits = spec.scans.iter().flat_map(|scan| &scan.splits);
    let slices = spec.inputs.iter().flat_map(|input| &input.slices);
    splits.map(|split| split.scan_bytes).sum::<u64>() + slices.map(ProducerSlice::len_bytes).sum::<u64>()
}

fn scans(stage: &StageState, at: TaskKey) -> Vec<ScanBinding> {
    let scans = &stage.planned.tasks[at.task].scans;
    let numbered = (0..).zip(scans);
    numbered
        .map(|(scan, splits)| ScanBinding {
            scan,
            splits: splits.clone(),
        })
        .collect()
}

/// The const assertions in `limits` leave room for plan and inlined inputs; this holds when lists of splits or producers are what is long.
fn check_size(spec: &TaskSpec) -> Result<(), QueryError> {
    let bytes = bytes_bound(spec);
    if bytes <= limits::INVOKE_BYTES_MAX {
        return Ok(());
    }
    let text = format!(
        "the order for {} takes up to {bytes} bytes, over the {} of an invocation",
        spec.attempt,
        limits::INVOKE_BYTES_MAX
    );
    let hint = "raise the session property target_task_bytes so that there are fewer tasks to read from";
    Err(QueryError::new(ErrorCode::TooManyTasks, text).hint(hint))
}

/// Bytes that the sealed spec takes at most: field names and numbers at their widest, base64 as 4 bytes for 3.
fn bytes_bound(spec: &TaskSpec) -> usize {
    const ENVELOPE: usize = 4_096;
    const SPLIT: usize = 256;
    const SLICE: usize = 192;
    const PARTITION: usize = 96;
    let base64 = |bytes: usize| bytes.div_ceil(3) * 4;
    let plan = match &spec.plan {
        PlanRef::Inline(plan) => base64(plan.bytes.len()),
        PlanRef::Object { key, .. } => key.len(),
    };
    let splits = spec.scans.iter().flat_map(|scan| &scan.splits);
    let splits = splits.map(|split| SPLIT + split.bucket.len() + split.key.len() + split.etag.len());
    let slices = spec.inputs.iter().flat_map(|input| &input.slices);
    let slices = slices.map(|slice| {
        let source = match &slice.source {
            SliceSource::Object { key, etag, .. } => key.len() + etag.len(),
            SliceSource::Inline { bytes } => base64(bytes.len()),
            SliceSource::Empty => 0,
        };
        SLICE + source + PARTITION * slice.partitions.len()
    });
    let settings = spec.settings.iter().map(|(key, value)| key.len() + value.len() + 8);
    ENVELOPE + plan + splits.sum::<usize>() + slices.sum::<usize>() + settings.sum::<usize>()
}
