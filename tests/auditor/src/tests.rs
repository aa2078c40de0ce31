//! The auditor audited: an honest history passes, and each kind of lie is named.

mod chronicle;
mod copies;
mod pace;

use super::*;
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::spec::{PartitionSlice, PlanRef};
use mayfly_protocol::{
    AttemptId, Digest, EpochMs, ErrorCode, Exchange, ExchangeKind, Failure, FunctionSize, InputBinding, InputRead,
    Meter, Nonce, Output, OutputLocation, OutputSpec, PartitionDigest, PartitionEntry, PartitionRange, PlanBytes,
    ProducerSlice, QueryError, QueryId, SliceSource, Stage, StageGraph, StageId, StageInput, TaskId, TaskReport,
    TaskSpec, TaskStatistics, TaskTemplate, key, limits,
};
use std::collections::BTreeMap;
use std::rc::Rc;

const BOUNDS: Bounds = Bounds {
    concurrency_max: 3,
    short_turns_max: 0,
    short_turn_ms: 0,
    task_duration_ms: 60_000,
    answer_grace_ms: 10_000,
    retries_min: 20,
    retries_percent: 20,
    backoff_ms: 100,
    journal_wins_max: 100,
    journal_risk_mb_ms_max: 1 << 40,
    copies: None,
    fleet_dead_ms: 60_000,
    idle_ms_max: 5_000,
};

fn query() -> QueryId {
    "q".parse().expect("an id")
}

fn stage(index: u32, inputs: &[u32], ranges: &[(u32, u32)], partitions: u32) -> Stage {
    let read = |stage: &u32| StageInput {
        input: 0,
        stage: StageId::new(*stage),
        read: InputRead::Partitions,
    };
    let task = |range: &(u32, u32)| TaskTemplate {
        scans: vec![],
        partitions: PartitionRange::new(range.0, range.1),
        share: None,
    };
    Stage {
        id: StageId::new(index),
        plan: PlanBytes::new(vec![index as u8]),
        inputs: inputs.iter().map(read).collect(),
        tasks: ranges.iter().map(task).collect(),
        output: Exchange {
            kind: ExchangeKind::Hash,
            partitions,
        },
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 0,
        enough_rows: None,
        after: None,
        regroup: None,
    }
}

/// One producer of four partitions, two consumers of two each.
fn graph() -> StageGraph {
    StageGraph {
        stages: vec![stage(0, &[], &[(0, 0)], 4), stage(1, &[0], &[(0, 2), (2, 4)], 1)],
        settings: BTreeMap::new(),
        alternatives: Vec::new(),
    }
}

fn meter() -> Meter {
    Meter {
        invocations: 1,
        billed_ms: 5,
        billed_mb_ms: 5 * 1_769,
        ..Meter::default()
    }
}

fn task(stage: u32, index: u32) -> TaskId {
    let stage = StageId::new(stage);
    TaskId { stage, index }
}

fn entries(count: u32, content: u64) -> Vec<PartitionEntry> {
    let entry = |partition: u32| PartitionEntry {
        len_bytes: 10,
        rows: 1,
        digest: PartitionDigest(content + u64::from(partition)),
    };
    (0..count).map(entry).collect()
}

fn output(attempt: &AttemptId, nonce: u64, count: u32, content: u64) -> Output {
    Output {
        location: OutputLocation::Object {
            key: key::output(&Default::default(), attempt, Nonce(nonce)).into(),
            etag: "e".into(),
            size_bytes: 100,
            data_offset: 16,
        },
        partitions: entries(count, content),
    }
}

/// A history under construction. Time stands at one second.
struct Scene {
    auditor: Auditor,
    now: EpochMs,
    numbers: BTreeMap<TaskId, u32>,
}

impl Scene {
    fn new() -> Scene {
        let mut auditor = Auditor::new(BOUNDS);
        auditor.submitted(EpochMs(1_000), query(), 1, Rc::new(graph()), EpochMs(100_000));
        Scene {
            auditor,
            now: EpochMs(1_000),
            numbers: BTreeMap::new(),
        }
    }

    fn spec(&mut self, task: TaskId, inputs: Vec<InputBinding>) -> TaskSpec {
        let number = self.numbers.entry(task).or_insert(0);
        let attempt = AttemptId {
            query: query(),
            task,
            epoch: 1,
            number: *number,
        };
        *number += 1;
        let stage = graph().stage(task.stage).expect("planned").clone();
        TaskSpec {
            plan: PlanRef::Inline(stage.plan),
            scans: vec![],
            pin_digest: Digest::of(format!("{inputs:?}").as_bytes()),
            inputs,
            output: OutputSpec {
                bucket: "mayfly".to_owned(),
                key_prefix: key::output_prefix(&Default::default(), &attempt),
                partitions: stage.output.partitions,
                inline_bytes_max: 0,
            },
            local_partitions: 1,
            size: FunctionSize::One,
            memory_bytes_max: None,
            sort_merge_joins: false,
            cancel_key: None,
            deadline: EpochMs(self.now.0 + 60_000),
            sent: None,
            settings: BTreeMap::new(),
            attempt,
        }
    }

    fn launch(&mut self, task: TaskId, inputs: Vec<InputBinding>) -> Result<Rc<TaskSpec>, Violation> {
        let spec = Rc::new(self.spec(task, inputs));
        self.auditor.invoked(self.now, &spec)?;
        Ok(spec)
    }

    fn report(&mut self, spec: &TaskSpec, nonce: u64, content: u64) -> Output {
        let output = output(&spec.attempt, nonce, spec.output.partitions, content);
        let report = TaskReport {
            attempt: spec.attempt.clone(),
            nonce: Nonce(nonce),
            output: output.clone(),
            pin_digest: spec.pin_digest,
            meter: Meter::default(),
            statistics: TaskStatistics::default(),
        };
        self.auditor.reported(self.now, &Rc::new(report), &meter());
        output
    }

    fn fail(&mut self, spec: &TaskSpec, failure: Failure) {
        self.auditor.failed(self.now, &spec.attempt, &failure, &meter());
    }

    /// The producer, reported.
    fn produce(&mut self) -> Output {
        let spec = self.launch(task(0, 0), vec![]).expect("allowed");
        self.report(&spec, 1, 100)
    }

    fn finish(&mut self, outputs: Vec<Output>, usage: &[(u32, u64)]) -> Result<(), Violation> {
        let root = StageId::new(1);
        self.end(Outcome::Finished { root, outputs }, usage)
    }

    fn end(&mut self, outcome: Outcome, usage: &[(u32, u64)]) -> Result<(), Violation> {
        let times = |times: u64| (0..times).map(|_| meter()).sum();
        let usage = usage.iter().map(|(stage, count)| (StageId::new(*stage), times(*count)));
        self.auditor.finished(self.now, &query(), &outcome, &usage.collect())
    }
}

/// What the consumer of a range reads from the producer's output.
fn read(output: &Output, range: (u32, u32)) -> Vec<InputBinding> {
    let OutputLocation::Object { key, etag, .. } = &output.location else {
        panic!("scenes publish objects")
    };
    let parts = &output.partitions[range.0 as usize..range.1 as usize];
    let part = |entry: &PartitionEntry| PartitionSlice {
        len_bytes: entry.len_bytes,
        rows: entry.rows,
        digest: entry.digest,
    };
    vec![InputBinding {
        input: 0,
        stage: StageId::new(0),
        read: InputRead::Partitions,
        partitions: PartitionRange::new(range.0, range.1),
        producers: PartitionRange::new(0, 1),
        slices: vec![ProducerSlice {
            producer: task(0, 0),
            source: SliceSource::Object {
                key: key.clone(),
                etag: etag.clone(),
                offset: 16 + 10 * u64::from(range.0),
            },
            partitions: parts.iter().map(part).collect(),
        }],
    }]
}

#[track_caller]
fn objects(verdict: Result<(), Violation>, to: &str) {
    let violation = verdict.expect_err("the auditor must object");
    assert!(violation.what.contains(to), "{violation}");
}

/// Up to the point where the query could finish: the answer's two parts.
fn honest(scene: &mut Scene) -> Vec<Output> {
    let produced = scene.produce();
    let left = scene.launch(task(1, 0), read(&produced, (0, 2))).expect("allowed");
    let right = scene.launch(task(1, 1), read(&produced, (2, 4))).expect("allowed");
    vec![scene.report(&left, 2, 200), scene.report(&right, 3, 300)]
}

#[test]
fn an_honest_history_passes() {
    let mut scene = Scene::new();
    let outputs = honest(&mut scene);
    assert_eq!(scene.finish(outputs, &[(0, 1), (1, 2)]), Ok(()));
    assert_eq!(scene.auditor.ended(EpochMs(100_000)), Ok(()));
}

#[test]
fn a_double_finish_is_seen() {
    let mut scene = Scene::new();
    let outputs = honest(&mut scene);
    assert_eq!(scene.finish(outputs.clone(), &[(0, 1), (1, 2)]), Ok(()));
    objects(scene.finish(outputs, &[(0, 1), (1, 2)]), "ended twice");
}

#[test]
fn a_wrong_bill_is_seen_also_if_it_is_too_high() {
    for wrong in [[(0, 1), (1, 1)], [(0, 1), (1, 3)], [(0, 0), (1, 2)]] {
        let mut scene = Scene::new();
        let outputs = honest(&mut scene);
        objects(scene.finish(outputs, &wrong), "the bill is");
    }
}

#[test]
fn a_duplicate_delivery_is_part_of_the_bill() {
    let mut scene = Scene::new();
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    let produced = scene.report(&spec, 1, 100);
    scene.report(&spec, 1, 100);
    let left = scene.launch(task(1, 0), read(&produced, (0, 2))).expect("allowed");
    let right = scene.launch(task(1, 1), read(&produced, (2, 4))).expect("allowed");
    let outputs = vec![scene.report(&left, 2, 200), scene.report(&right, 3, 300)];
    objects(scene.finish(outputs.clone(), &[(0, 1), (1, 2)]), "the bill is");
    assert_eq!(scene.finish(outputs, &[(0, 2), (1, 2)]), Ok(()));
}

#[test]
fn a_range_that_is_not_the_tasks_own_is_seen() {
    let mut scene = Scene::new();
    let produced = scene.produce();
    let verdict = scene.launch(task(1, 1), read(&produced, (1, 4)));
    objects(verdict.map(drop), "planned was");
}

#[test]
fn a_partition_consumed_twice_is_seen_in_the_lineage() {
    // The plan itself is wrong here, so that each launch by itself is as planned.
    let mut scene = Scene::new();
    let mut overlapping = graph();
    overlapping.stages[1].tasks[1].partitions.start = 1;
    scene.auditor = Auditor::new(BOUNDS);
    scene
        .auditor
        .submitted(EpochMs(1_000), query(), 1, Rc::new(overlapping), EpochMs(100_000));
    let produced = scene.produce();
    let left = scene.launch(task(1, 0), read(&produced, (0, 2))).expect("as planned");
    let right = scene.launch(task(1, 1), read(&produced, (1, 4))).expect("as planned");
    let outputs = vec![scene.report(&left, 2, 200), scene.report(&right, 3, 300)];
    objects(scene.finish(outputs, &[(0, 1), (1, 2)]), "consumed twice");
}

#[test]
fn a_partition_that_nobody_consumed_is_seen_in_the_lineage() {
    let mut scene = Scene::new();
    let mut gap = graph();
    gap.stages[1].tasks[1].partitions.start = 3;
    scene.auditor = Auditor::new(BOUNDS);
    scene
        .auditor
        .submitted(EpochMs(1_000), query(), 1, Rc::new(gap), EpochMs(100_000));
    let produced = scene.produce();
    let left = scene.launch(task(1, 0), read(&produced, (0, 2))).expect("as planned");
    let right = scene.launch(task(1, 1), read(&produced, (3, 4))).expect("as planned");
    let outputs = vec![scene.report(&left, 2, 200), scene.report(&right, 3, 300)];
    objects(scene.finish(outputs, &[(0, 1), (1, 2)]), "is missing");
}

#[test]
fn an_answer_from_two_versions_of_one_output_is_seen() {
    let mut scene = Scene::new();
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    let first = scene.report(&spec, 1, 100);
    let second = scene.report(&spec, 9, 900);
    let left = scene.launch(task(1, 0), read(&first, (0, 2))).expect("allowed");
    let right = scene.launch(task(1, 1), read(&second, (2, 4))).expect("allowed");
    let outputs = vec![scene.report(&left, 2, 200), scene.report(&right, 3, 300)];
    objects(scene.finish(outputs, &[(0, 2), (1, 2)]), "in two versions");
}

#[test]
fn an_input_that_nobody_published_is_seen() {
    let mut scene = Scene::new();
    let produced = scene.produce();
    let mut shifted = read(&produced, (0, 2));
    let SliceSource::Object { offset, .. } = &mut shifted[0].slices[0].source else {
        panic!("scenes publish objects")
    };
    *offset += 1;
    objects(scene.launch(task(1, 0), shifted).map(drop), "nobody published");
}

#[test]
fn an_answer_that_lacks_a_part_or_was_discarded_is_seen() {
    let mut scene = Scene::new();
    let outputs = honest(&mut scene);
    objects(scene.finish(outputs[..1].to_vec(), &[(0, 1), (1, 2)]), "1 of 2 parts");
    let attempt = AttemptId {
        query: query(),
        task: task(1, 0),
        epoch: 1,
        number: 0,
    };
    objects(
        scene.auditor.discarded(scene.now, &attempt, &outputs[0]),
        "before the end was durable",
    );
    assert_eq!(scene.finish(outputs.clone(), &[(0, 1), (1, 2)]), Ok(()));
    scene.auditor.durable(&query());
    objects(
        scene.auditor.discarded(scene.now, &attempt, &outputs[0]),
        "was the first of its task",
    );
}

#[test]
fn a_launch_after_cancel_or_end_is_seen() {
    let mut scene = Scene::new();
    scene.auditor.canceled(&query());
    objects(scene.launch(task(0, 0), vec![]).map(drop), "after the cancel");
    let mut scene = Scene::new();
    let outputs = honest(&mut scene);
    assert_eq!(scene.finish(outputs, &[(0, 1), (1, 2)]), Ok(()));
    objects(scene.launch(task(0, 0), vec![]).map(drop), "after the end");
}

#[test]
fn a_twin_is_seen_and_so_is_a_task_that_runs_after_it_reported() {
    let mut scene = Scene::new();
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    objects(
        scene.launch(task(0, 0), vec![]).map(drop),
        "in flight on the same inputs",
    );
    let mut scene = Scene {
        numbers: BTreeMap::from([(task(0, 0), 1)]),
        ..scene
    };
    scene.report(&spec, 1, 100);
    objects(scene.launch(task(0, 0), vec![]).map(drop), "after it reported");
}

#[test]
fn more_in_flight_than_allowed_is_seen() {
    let mut scene = Scene::new();
    let mut wide = graph();
    wide.stages[0].tasks = vec![TaskTemplate::default(); 4];
    scene.auditor = Auditor::new(BOUNDS);
    scene
        .auditor
        .submitted(EpochMs(1_000), query(), 1, Rc::new(wide), EpochMs(100_000));
    for index in 0..3 {
        scene.launch(task(0, index), vec![]).expect("within the limit");
    }
    objects(scene.launch(task(0, 3), vec![]).map(drop), "4 attempts in flight");
}

#[test]
fn a_retry_beyond_its_budget_is_seen() {
    let message = String::new;
    let cases: [(Failure, usize, &str); 4] = [
        (Failure::Transient { message: message() }, 4, "as transient"),
        (
            Failure::EnvironmentLost { message: message() },
            9,
            "as lost environment",
        ),
        (Failure::Broken { message: message() }, 3, "as crash"),
        (Failure::user(ErrorCode::DivisionByZero, ""), 1, "as user error"),
    ];
    for (failure, times, what) in cases {
        let mut scene = Scene::new();
        for _ in 0..times {
            let spec = scene.launch(task(0, 0), vec![]).expect("within its budget");
            scene.fail(&spec, failure.clone());
        }
        objects(scene.launch(task(0, 0), vec![]).map(drop), what);
    }
}

#[test]
fn the_same_size_after_memory_ran_out_is_seen() {
    let mut scene = Scene::new();
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    let message = String::new();
    scene.fail(&spec, Failure::NeedsMemory { message });
    objects(scene.launch(task(0, 0), vec![]).map(drop), "its failures call for 3538");
}

#[test]
fn an_end_without_a_reason_or_after_the_deadline_is_seen() {
    let error = |code| Outcome::Failed {
        error: QueryError::new(code, ""),
    };
    for code in [
        ErrorCode::ExceededTimeLimit,
        ErrorCode::NoNodesAvailable,
        ErrorCode::TaskPoisoned,
        ErrorCode::DivisionByZero,
    ] {
        objects(Scene::new().end(error(code), &[]), "for no reason that was seen");
    }
    objects(Scene::new().end(Outcome::Canceled, &[]), "canceled by nobody");
    let mut late = Scene::new();
    late.now = EpochMs(100_001);
    objects(late.end(error(ErrorCode::ExceededTimeLimit), &[]), "after its deadline");
}

#[test]
fn a_query_that_never_ends_and_a_late_meter_that_is_kept_back_are_seen() {
    let mut scene = Scene::new();
    objects(scene.auditor.ended(EpochMs(1)), "never ended");
    let mut scene_late = Scene::new();
    let spec = scene_late.launch(task(0, 0), vec![]).expect("allowed");
    scene_late.auditor.canceled(&query());
    assert_eq!(scene_late.end(Outcome::Canceled, &[]), Ok(()));
    scene_late.report(&spec, 1, 100);
    objects(scene_late.auditor.ended(scene_late.now), "not passed on");
    let passed = scene_late.auditor.late(scene_late.now, &spec.attempt, &meter(), None);
    assert_eq!(passed, Ok(()));
    let again = scene_late.auditor.late(scene_late.now, &spec.attempt, &meter(), None);
    objects(again, "never delivered");
    assert_eq!(scene_late.auditor.ended(scene_late.now), Ok(()));
    assert!(scene.launch(task(0, 0), vec![]).is_ok());
}

#[test]
fn a_task_that_was_forgotten_is_seen() {
    let mut scene = Scene::new();
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    let message = String::new();
    scene.fail(&spec, Failure::Transient { message });
    scene.now = EpochMs(100_000);
    let error = QueryError::new(ErrorCode::ExceededTimeLimit, "");
    objects(
        scene.end(Outcome::Failed { error }, &[(0, 1)]),
        "nothing has been in flight",
    );
}

#[test]
fn a_silent_attempt_is_billed_at_its_bound() {
    let mut scene = Scene::new();
    scene.launch(task(0, 0), vec![]).expect("allowed");
    scene.auditor.canceled(&query());
    scene.now = EpochMs(72_000);
    objects(scene.end(Outcome::Canceled, &[]), "the bill is");
    let bound = Meter {
        invocations: 1,
        billed_ms: 70_000,
        billed_mb_ms: 70_000 * 1_769,
        bounded: 1,
        ..Meter::default()
    };
    let usage = BTreeMap::from([(StageId::new(0), bound)]);
    let verdict = scene.auditor.finished(scene.now, &query(), &Outcome::Canceled, &usage);
    assert_eq!(verdict, Ok(()));
}
