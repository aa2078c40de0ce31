//! What is refused, and what is too large to ride in a spec.

use super::check;
use crate::{Command, Event, Scheduler, Settings};
use expect_test::expect;
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{
    EpochMs, Exchange, ExchangeKind, FileRange, FunctionSize, InputRead, PlanBytes, Split, Stage, StageGraph, StageId,
    StageInput, TaskTemplate, limits,
};

#[test]
fn a_large_plan_is_put_once_before_the_first_launch() {
    check(
        "submit q 2 plan=600000
         report s0/t0/a0
         report s0/t1/a0",
        expect![[r#"
            submit q 2 plan=600000
                put plan p/default/q/1358… (600000 bytes)
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0
                finish q with s0/t0/a0, s0/t1/a0; s0 2× 200 ms
        "#]],
    );
}

fn stage(index: u32, tasks: Vec<TaskTemplate>, inputs: &[u32], plan: Vec<u8>) -> Stage {
    let read = |(input, stage): (u32, &u32)| StageInput {
        input,
        stage: StageId::new(*stage),
        read: InputRead::All,
    };
    Stage {
        id: StageId::new(index),
        plan: PlanBytes::new(plan),
        inputs: (0..).zip(inputs).map(read).collect(),
        tasks,
        output: Exchange {
            kind: ExchangeKind::Broadcast,
            partitions: 1,
        },
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 0,
        enough_rows: None,
        after: None,
        regroup: None,
    }
}

/// The commands that a submission leads to at once.
fn submit(stages: Vec<Stage>) -> Vec<Command> {
    let mut scheduler = Scheduler::new(Settings::default(), 0);
    let graph = StageGraph {
        stages,
        settings: Default::default(),
        alternatives: Vec::new(),
    };
    let event = Event::Submitted {
        query: "q".parse().expect("an id"),
        epoch: 1,
        graph,
        deadline: EpochMs(60_000),
        limits: crate::QueryLimits::default(),
    };
    scheduler.handle(EpochMs(0), event);
    let commands = std::iter::from_fn(|| scheduler.poll_command()).collect();
    assert!(scheduler.poll_timeout().is_none() || scheduler.in_flight() > 0);
    commands
}

fn refusal(stages: Vec<Stage>) -> String {
    match submit(stages).as_slice() {
        [
            Command::Finish {
                outcome: Outcome::Failed { error },
                ..
            },
        ] => format!("{}: {error}", error.code),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn what_is_beyond_a_bound_is_refused() {
    let one = || vec![TaskTemplate::default()];
    let many = vec![TaskTemplate::default(); limits::TASKS_MAX as usize + 1];
    let mut wide = stage(0, one(), &[], vec![]);
    wide.output.partitions = limits::PARTITIONS_MAX + 1;
    let chain = |index: u32| stage(index, one(), if index == 0 { &[] } else { &[0] }, vec![]);
    let refusals = [
        refusal(vec![]),
        refusal(vec![stage(0, many, &[], vec![])]),
        refusal(vec![stage(0, one(), &[], vec![0; limits::PLAN_BYTES_MAX + 1])]),
        refusal(vec![wide]),
        refusal((0..=limits::STAGES_MAX as u32).map(chain).collect()),
        refusal(vec![stage(0, one(), &[0], vec![])]),
    ];
    expect![[r#"
        GENERIC_INTERNAL_ERROR: the stage graph is broken: the graph has no stage
        MAYFLY_TOO_MANY_TASKS: stage s0 has 10001 tasks, over 10000; raise the session property target_task_bytes
        MAYFLY_TOO_COMPLEX: stage s0 has a plan of 4194305 bytes, over 4194304
        MAYFLY_TOO_MANY_TASKS: stage s0 has 4097 partitions, over 4096
        QUERY_HAS_TOO_MANY_STAGES: the plan has 257 stages, over 256
        GENERIC_INTERNAL_ERROR: the stage graph is broken: stage s0 reads s0, which does not precede it"#]]
    .assert_eq(&refusals.join("\n"));
}

#[test]
fn a_spec_that_no_invocation_can_carry_fails_the_query() {
    let split = Split {
        bucket: "lake".to_owned(),
        key: "k".repeat(900),
        etag: "e".to_owned(),
        size_bytes: 1,
        range: FileRange::All,
        scan_bytes: 1,
        rows: 1,
        partition_values: Vec::new(),
    };
    let task = TaskTemplate {
        scans: vec![vec![split; 6_000]],
        ..TaskTemplate::default()
    };
    expect!["MAYFLY_TOO_MANY_TASKS: the order for q/s0/t0/a0 takes up to 6970096 bytes, over the 6291456 of an invocation; raise the session property target_task_bytes so that there are fewer tasks to read from"].assert_eq(&refusal(vec![stage(0, vec![task], &[], vec![])]));
}

#[test]
fn ten_thousand_tasks_are_launched_as_slots_allow() {
    let tasks = vec![TaskTemplate::default(); limits::TASKS_MAX as usize];
    let commands = submit(vec![stage(0, tasks, &[], vec![])]);
    assert_eq!(commands.len(), Settings::default().concurrency_max as usize);
}

#[test]
fn producers_of_a_consumer_with_many_inputs_share_the_room_in_its_spec() {
    let one = || vec![TaskTemplate::default()];
    let mut stages: Vec<Stage> = (0..4).map(|index| stage(index, one(), &[], vec![])).collect();
    stages.push(stage(4, one(), &[0, 1, 2, 3], vec![]));
    let inline = submit(stages).into_iter().map(|command| match command {
        Command::Invoke { spec, .. } => spec.output.inline_bytes_max,
        other => panic!("not a launch: {other:?}"),
    });
    assert_eq!(inline.collect::<Vec<_>>(), vec![limits::INLINE_BYTES_MAX / 2; 4]);
}
