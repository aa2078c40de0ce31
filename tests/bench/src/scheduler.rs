//! The scheduler alone: task events a second, and bytes a task.

use crate::usage::resident_mb;
use mayfly_protocol::{
    EpochMs, Exchange, ExchangeKind, FunctionSize, InputRead, Meter, Nonce, Output, OutputLocation, PartitionDigest,
    PartitionEntry, PartitionRange, PlanBytes, Stage, StageGraph, StageId, StageInput, TaskReport, TaskSpec,
    TaskStatistics, TaskTemplate,
};
use mayfly_schedule::{Command, Event, QueryLimits, Scheduler, Settings};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Tasks of the first stage; a second one of few reads them.
const TASKS: u32 = 10_000;
const QUERIES: u32 = 20;
const PARTITIONS: u32 = 8;

pub fn run() {
    let before = resident_mb(std::process::id());
    let settings = Settings {
        concurrency_max: 1_000,
        ..Settings::default()
    };
    let mut scheduler = Scheduler::new(settings, 1);
    for query in 0..QUERIES {
        scheduler.handle(EpochMs(0), submitted(query));
    }
    let held = (resident_mb(std::process::id()) - before) * 1_000_000 / u64::from(QUERIES * TASKS);
    let (mut events, mut ended) = (0_u64, 0);
    // Of the scheduler alone: what executors say is put together between.
    let mut busy = Duration::ZERO;
    let (mut flying, mut reports) = (Vec::new(), Vec::new());
    while ended < QUERIES {
        let start = Instant::now();
        for (at, report) in reports.drain(..) {
            scheduler.handle(at, report);
        }
        while let Some(command) = scheduler.poll_command() {
            match command {
                Command::Invoke { spec, .. } => flying.push(spec),
                Command::Finish { .. } => ended += 1,
                Command::Journal { query } => {
                    scheduler.take_entries(&query);
                    scheduler.handle(EpochMs(events / 100), Event::Journaled { query });
                }
                _ => {}
            }
        }
        busy += start.elapsed();
        for spec in flying.drain(..) {
            events += 1;
            reports.push((EpochMs(events / 100), reported(&spec, events)));
        }
    }
    let seconds = busy.as_secs_f64();
    println!(
        "{events} reports in {seconds:.2} s: {:.0} task events/s; {held} bytes a waiting task",
        events as f64 / seconds
    );
}

fn submitted(query: u32) -> Event {
    let stages = vec![
        stage(0, TASKS, &[], ExchangeKind::Hash, PARTITIONS),
        stage(1, PARTITIONS, &[0], ExchangeKind::Result, 1),
    ];
    Event::Submitted {
        query: format!("20261120_151209_{query:05}_k3x9a").parse().expect("an id"),
        epoch: 1,
        graph: StageGraph {
            stages,
            settings: BTreeMap::new(),
            alternatives: Vec::new(),
        },
        deadline: EpochMs(3_600_000),
        limits: QueryLimits::default(),
    }
}

fn stage(index: u32, tasks: u32, inputs: &[u32], kind: ExchangeKind, partitions: u32) -> Stage {
    let whole = PartitionRange::new(0, PARTITIONS);
    let template = |task: u32| TaskTemplate {
        partitions: if inputs.is_empty() {
            PartitionRange::default()
        } else {
            whole.piece(task, tasks)
        },
        ..TaskTemplate::default()
    };
    let input = |(input, stage): (u32, &u32)| StageInput {
        input,
        stage: StageId::new(*stage),
        read: InputRead::Partitions,
    };
    Stage {
        id: StageId::new(index),
        plan: PlanBytes::new(vec![index as u8; 1_000]),
        inputs: (0..).zip(inputs).map(input).collect(),
        tasks: (0..tasks).map(template).collect(),
        output: Exchange { kind, partitions },
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 0,
        enough_rows: None,
        after: None,
        regroup: None,
    }
}

fn reported(spec: &TaskSpec, nonce: u64) -> Event {
    let entry = PartitionEntry {
        len_bytes: 1_000,
        rows: 10,
        digest: PartitionDigest(nonce),
    };
    let output = Output {
        location: OutputLocation::Object {
            key: format!("{}{}", spec.output.key_prefix, Nonce(nonce)).into(),
            etag: format!("{nonce:032x}").into(),
            size_bytes: 8_100,
            data_offset: 100,
        },
        partitions: vec![entry; spec.output.partitions as usize],
    };
    let report = TaskReport {
        attempt: spec.attempt.clone(),
        nonce: Nonce(nonce),
        output,
        pin_digest: spec.pin_digest,
        meter: Meter::default(),
        statistics: TaskStatistics::default(),
    };
    Event::Reported {
        attempt: spec.attempt.clone(),
        answer: Box::new(report),
        meter: Meter::default(),
    }
}
