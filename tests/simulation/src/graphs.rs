//! Random stage graphs: chains, trees and diamonds of one to six stages with one to twelve tasks.

use crate::content::Nature;
use crate::faults::Faults;
use crate::random::chance;
use mayfly_protocol::{
    Alternative, Exchange, ExchangeKind, FileRange, FunctionSize, InputRead, PartitionRange, PlanBytes, Regroup, Split,
    Stage, StageGraph, StageId, StageInput, TaskTemplate, dropped_by, limits,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::rc::Rc;

const STAGES_MAX: u32 = 6;
const TASKS_MAX: u32 = 12;
const PARTITIONS_MAX: u32 = 24;

/// By consumer: which producers it reads, and how.
type Reads = Vec<Vec<(u32, InputRead)>>;

/// A graph and how its stages behave, by position.
#[derive(Clone, Debug)]
pub(crate) struct Modelled {
    pub graph: Rc<StageGraph>,
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
    // Of a stream of its own: what a seed drew before there were these, it still draws.
    let mut own = SmallRng::seed_from_u64(stream.clone().random());
    let mut alternatives = draw_alternatives(stream, &stages);
    let stages = draw_holds(stream, stages, &alternatives);
    alternatives.extend(draw_emptied(&mut own, &stages));
    // Each is a plan of its own.
    for (number, alternative) in (1..).zip(&mut alternatives) {
        let mut bytes = alternative.stage.plan.bytes.clone();
        bytes.push(number);
        alternative.stage.plan = PlanBytes::new(bytes);
    }
    let setting = || ("datafusion.execution.batch_size".to_owned(), "8192".to_owned());
    let settings = partitions.is_multiple_of(4).then(setting);
    Modelled {
        graph: Rc::new(StageGraph {
            stages,
            settings: settings.into_iter().collect(),
            alternatives,
        }),
        natures,
    }
}

impl Modelled {
    /// A few stages begin in a larger function.
    pub fn enlarge(&mut self, stream: &mut SmallRng) {
        for stage in &mut Rc::make_mut(&mut self.graph).stages {
            if chance(stream, 0.2) {
                stage.size = FunctionSize::ALL[stream.random_range(0..FunctionSize::ALL.len())];
            }
        }
    }
}

/// For a stage that reads two by partitions, the second for it alone: to read the first whole and do the work of the second itself.
fn draw_alternatives(stream: &mut SmallRng, stages: &[Stage]) -> Vec<Alternative> {
    let mut alternatives = Vec::new();
    for stage in stages {
        let [build, probe] = stage.inputs[..] else { continue };
        let by_partitions = [build, probe].iter().all(|input| input.read == InputRead::Partitions);
        let readers = stages
            .iter()
            .filter(|other| other.inputs.iter().any(|input| input.stage == probe.stage));
        let dropped = stages.iter().find(|other| other.id == probe.stage);
        let Some(dropped) = dropped.filter(|dropped| {
            dropped.inputs.len() <= 2 && by_partitions && build.stage != probe.stage && readers.count() == 1
        }) else {
            continue;
        };
        if reads(stages, build.stage, probe.stage) {
            continue;
        }
        if chance(stream, 0.6) {
            alternatives.push(fused(stream, stage, build, dropped));
        } else if chance(stream, 0.5) {
            alternatives.push(filtered(stream, build, dropped));
        }
    }
    alternatives
}

/// Nothing waits for what decides these.
fn draw_emptied(stream: &mut SmallRng, stages: &[Stage]) -> Vec<Alternative> {
    let mut alternatives = Vec::new();
    for stage in stages {
        if chance(stream, 0.15) {
            alternatives.extend(emptied(stream, stages, stage));
        }
    }
    alternatives
}

/// To read one of its inputs alone, in one task; what nobody else reads is dropped.
fn emptied(stream: &mut SmallRng, stages: &[Stage], stage: &Stage) -> Option<Alternative> {
    let at = stream.random_range(0..stage.inputs.len().max(1));
    let only = StageInput {
        input: 0,
        stage: stage.inputs.get(at)?.stage,
        read: InputRead::All,
    };
    let template = TaskTemplate {
        partitions: PartitionRange::new(0, 0),
        ..TaskTemplate::default()
    };
    let stage = Stage {
        inputs: vec![only],
        tasks: vec![template],
        regroup: None,
        after: None,
        ..stage.clone()
    };
    Some(Alternative {
        decides: only.stage,
        bytes_max: 1 << stream.random_range(0..24),
        dropped: dropped_by(stages.iter(), &stage),
        stage,
    })
}

/// Most of those that may be dropped wait for what decides.
fn draw_holds(stream: &mut SmallRng, mut stages: Vec<Stage>, alternatives: &[Alternative]) -> Vec<Stage> {
    for alternative in alternatives {
        let waits = alternative.dropped.first().copied().unwrap_or(alternative.stage.id);
        let may_wait = chance(stream, 0.7);
        let held = stages.iter_mut().find(|stage| stage.id == waits);
        if let Some(stage) = held.filter(|_| may_wait) {
            stage.after = Some(alternative.decides);
        }
    }
    stages
}

/// Whether a stage reads the other, directly or not.
fn reads(stages: &[Stage], reader: StageId, other: StageId) -> bool {
    let stage = stages.iter().find(|stage| stage.id == reader);
    let inputs = stage.map_or(&[][..], |stage| &stage.inputs);
    inputs
        .iter()
        .any(|input| input.stage == other || reads(stages, input.stage, other))
}

fn fused(stream: &mut SmallRng, stage: &Stage, build: StageInput, dropped: &Stage) -> Alternative {
    let build = StageInput {
        input: 0,
        stage: build.stage,
        read: InputRead::All,
    };
    let own = (1..)
        .zip(&dropped.inputs)
        .map(|(input, read)| StageInput { input, ..*read });
    Alternative {
        decides: build.stage,
        bytes_max: 1 << stream.random_range(0..24),
        stage: Stage {
            inputs: [build].into_iter().chain(own).collect(),
            tasks: dropped.tasks.clone(),
            regroup: None,
            ..stage.clone()
        },
        dropped: vec![dropped.id],
    }
}

/// The second reads the first whole, too.
fn filtered(stream: &mut SmallRng, build: StageInput, probe: &Stage) -> Alternative {
    let added = StageInput {
        input: probe.inputs.len() as u32,
        stage: build.stage,
        read: InputRead::All,
    };
    Alternative {
        decides: build.stage,
        bytes_max: 1 << stream.random_range(0..24),
        stage: Stage {
            inputs: probe.inputs.iter().copied().chain([added]).collect(),
            after: None,
            ..probe.clone()
        },
        dropped: Vec::new(),
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
    // In most stages all tasks read as much, in some a few read more.
    let skew = if chance(stream, 0.3) { 1_000 } else { 1 };
    let scan_bytes: Vec<u64> = (0..tasks).map(|_| 1_000 * stream.random_range(1..=skew)).collect();
    let template = |task: u32| TaskTemplate {
        scans: if inputs.is_empty() {
            vec![vec![split(index, task, scan_bytes[task as usize])]]
        } else {
            vec![]
        },
        partitions: whole.piece(task, tasks),
        share: None,
    };
    let output = output(index, partitions, reads);
    Stage {
        id: StageId::new(index),
        plan: plan(stream, index),
        inputs: stage_inputs(inputs),
        tasks: (0..tasks).map(template).collect(),
        output,
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 0,
        enough_rows: (output.partitions == 1 && output.kind == ExchangeKind::Broadcast && chance(stream, 0.3))
            .then(|| 1 << stream.random_range(0..10)),
        after: None,
        regroup: (by_partition && chance(stream, 0.5)).then(|| draw_regroup(stream, inputs.len() as u32)),
    }
}

/// From what makes every partition a task to what makes one task of all.
fn draw_regroup(stream: &mut SmallRng, inputs: u32) -> Regroup {
    Regroup {
        task_bytes: 1 << stream.random_range(0..26),
        slots: stream.random_range(1..=8),
        divisible: (0..inputs).filter(|_| chance(stream, 0.5)).collect(),
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

fn split(stage: u32, task: u32, scan_bytes: u64) -> Split {
    Split {
        bucket: String::new(),
        key: format!("t{stage}/{task}.parquet"),
        etag: String::new(),
        size_bytes: 1,
        range: FileRange::All,
        scan_bytes,
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
