//! Random stage graphs: chains, trees and diamonds of one to six stages with one to twelve tasks.

use crate::content::Nature;
use crate::faults::Faults;
use crate::random::chance;
use mayfly_protocol::{
    Exchange, ExchangeKind, FileRange, FunctionSize, InputRead, PartitionRange, PlanBytes, Split, Stage, StageGraph,
    StageId, StageInput, TaskTemplate, limits,
};
use rand::Rng;
use rand::rngs::SmallRng;
use std::collections::BTreeMap;

const STAGES_MAX: u32 = 6;
const TASKS_MAX: u32 = 12;
const PARTITIONS_MAX: u32 = 24;

/// By consumer: which producers it reads, and how.
type Reads = Vec<Vec<(u32, InputRead)>>;

/// A graph and how its stages behave, by position.
#[derive(Clone, Debug)]
pub(crate) struct Modelled {
    pub graph: StageGraph,
    pub natures: Vec<Nature>,
}

/// Draws a graph. All its HASH exchanges have the same number of partitions, so that a stage may read several by one range.
pub(crate) fn draw(stream: &mut SmallRng, faults: &Faults) -> Modelled {
    let count = stream.random_range(1..=STAGES_MAX);
    let partitions = stream.random_range(1..=PARTITIONS_MAX);
    let reads = draw_edges(stream, count);
    let stages: Vec<Stage> = (0..count)
        .map(|index| draw_stage(stream, index, partitions, &reads))
        .collect();
    let natures = stages.iter().map(|_| draw_nature(stream, faults)).collect();
    let settings = BTreeMap::from([("datafusion.execution.batch_size".to_owned(), "8192".to_owned())]);
    Modelled {
        graph: StageGraph { stages, settings },
        natures,
    }
}

/// Every stage but the last is read at least once.
fn draw_edges(stream: &mut SmallRng, count: u32) -> Reads {
    let mut reads: Reads = vec![Vec::new(); count as usize];
    for producer in 0..count.saturating_sub(1) {
        let read = match stream.random_range(0..10) {
            0..=6 => InputRead::Partitions,
            7..=8 => InputRead::All,
            _ => InputRead::Merge,
        };
        let consumer = match chance(stream, 0.6) {
            true => producer + 1,
            false => stream.random_range(producer + 1..count),
        };
        reads[consumer as usize].push((producer, read));
        // A second reader makes a diamond.
        if chance(stream, 0.5) {
            let second = stream.random_range(producer + 1..count);
            if second != consumer {
                reads[second as usize].push((producer, read));
            }
        }
    }
    reads
}

fn output(index: u32, partitions: u32, reads: &Reads) -> Exchange {
    let read = reads.iter().flatten().find(|(producer, _)| *producer == index);
    let (kind, partitions) = match read {
        None => (ExchangeKind::Result, 1),
        Some((_, InputRead::Partitions)) => (ExchangeKind::Hash, partitions),
        Some((_, InputRead::All | InputRead::Merge)) => (ExchangeKind::Broadcast, 1),
    };
    Exchange { kind, partitions }
}

fn draw_stage(stream: &mut SmallRng, index: u32, partitions: u32, reads: &Reads) -> Stage {
    let inputs = &reads[index as usize];
    let tasks = stream.random_range(1..=TASKS_MAX);
    let by_partition = inputs.iter().any(|(_, read)| *read == InputRead::Partitions);
    let whole = PartitionRange::new(0, if by_partition { partitions } else { 0 });
    let template = |task: u32| TaskTemplate {
        scans: if inputs.is_empty() {
            vec![vec![split(index, task)]]
        } else {
            vec![]
        },
        partitions: whole.piece(task, tasks),
    };
    Stage {
        id: StageId::new(index),
        plan: plan(stream, index),
        inputs: stage_inputs(inputs),
        tasks: (0..tasks).map(template).collect(),
        output: output(index, partitions, reads),
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 0,
    }
}

/// Small plans, and seldom one that is too large for specs.
fn plan(stream: &mut SmallRng, index: u32) -> PlanBytes {
    let bytes = if chance(stream, 0.001) {
        limits::PLAN_INLINE_BYTES_MAX + 1
    } else {
        8
    };
    PlanBytes::new(vec![index as u8; bytes])
}

fn stage_inputs(reads: &[(u32, InputRead)]) -> Vec<StageInput> {
    let numbered = (0..).zip(reads);
    numbered
        .map(|(input, (producer, read))| StageInput {
            input,
            stage: StageId::new(*producer),
            read: *read,
        })
        .collect()
}

fn split(stage: u32, task: u32) -> Split {
    Split {
        bucket: "lake".to_owned(),
        key: format!("t{stage}/{task}.parquet"),
        etag: "1".to_owned(),
        size_bytes: 1,
        range: FileRange::All,
        scan_bytes: 1,
        rows: 1,
        partition_values: Vec::new(),
    }
}

fn draw_nature(stream: &mut SmallRng, faults: &Faults) -> Nature {
    Nature {
        seed: stream.random(),
        row_bytes: if chance(stream, 0.5) { 100_000 } else { 1 },
        empty_every: stream.random_range(0..5),
        nondeterministic: chance(stream, faults.nondeterministic),
        hungry: (faults.hungry * f64::from(u32::MAX)) as u32,
        cursed: (faults.cursed * f64::from(u32::MAX)) as u32,
    }
}
