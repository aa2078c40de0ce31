//! Tests of `graph`.

use super::*;

fn stage(index: u32, inputs: Vec<StageInput>, ranges: &[(u32, u32)], output: Exchange) -> Stage {
    let tasks = ranges
        .iter()
        .map(|&(start, end)| TaskTemplate {
            scans: vec![],
            partitions: PartitionRange { start, end },
            share: None,
        })
        .collect();
    Stage {
        id: StageId::new(index),
        plan: PlanBytes::new(vec![1]),
        inputs,
        tasks,
        output,
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 0,
        enough_rows: None,
        after: None,
        regroup: None,
    }
}

fn two_stages(ranges: &[(u32, u32)]) -> StageGraph {
    let hash = Exchange {
        kind: ExchangeKind::Hash,
        partitions: 8,
    };
    let result = Exchange {
        kind: ExchangeKind::Result,
        partitions: 1,
    };
    let input = StageInput {
        input: 0,
        stage: StageId::new(0),
        read: InputRead::Partitions,
    };
    let stages = vec![stage(0, vec![], &[(0, 0)], hash), stage(1, vec![input], ranges, result)];
    StageGraph {
        stages,
        settings: Default::default(),
        alternatives: Vec::new(),
    }
}

#[test]
fn adjacent_ranges_that_cover_every_partition_pass() {
    assert_eq!(two_stages(&[(0, 3), (3, 3), (3, 8)]).check(), Ok(()));
}

#[test]
fn a_partition_read_twice_or_never_is_refused() {
    for ranges in [
        &[(0, 4), (3, 8)][..],
        &[(0, 4), (5, 8)],
        &[(0, 7)],
        &[(0, 9)],
        &[(1, 8)],
    ] {
        let error = two_stages(ranges).check().expect_err("must be refused");
        assert_eq!(
            error,
            GraphError::Partitions {
                stage: StageId::new(1),
                producer: StageId::new(0)
            }
        );
    }
}

#[test]
fn a_graph_out_of_order_is_refused() {
    let mut graph = two_stages(&[(0, 8)]);
    graph.stages.reverse();
    assert_eq!(
        graph.check(),
        Err(GraphError::Order {
            stage: StageId::new(1),
            producer: StageId::new(0)
        })
    );
}

/// Stages that read whole what each is said to read.
fn reading(reads: &[&[u32]]) -> Vec<Stage> {
    let broadcast = Exchange {
        kind: ExchangeKind::Broadcast,
        partitions: 1,
    };
    let input = |(at, stage): (usize, &u32)| StageInput {
        input: at as u32,
        stage: StageId::new(*stage),
        read: InputRead::All,
    };
    let inputs = reads.iter().map(|reads| reads.iter().enumerate().map(input).collect());
    let numbered = inputs.enumerate();
    numbered
        .map(|(at, inputs)| stage(at as u32, inputs, &[(0, 0)], broadcast))
        .collect()
}

#[test]
fn a_stage_that_reads_less_drops_what_nobody_else_reads() {
    // 0 and 1 → 2, 1 → 3, 2 and 3 → 4
    let stages = reading(&[&[], &[], &[0, 1], &[1], &[2, 3]]);
    let without = |reader: u32, input: u32| {
        let mut changed = stages[reader as usize].clone();
        changed.inputs.retain(|read| read.stage != StageId::new(input));
        let dropped = dropped_by(stages.iter(), &changed);
        dropped.into_iter().map(|stage| stage.index).collect::<Vec<_>>()
    };
    assert_eq!(without(4, 2), [0, 2]);
    assert_eq!(without(4, 3), [3]);
    assert_eq!(without(2, 1), [0_u32; 0]);
    assert_eq!(without(2, 0), [0]);
    assert_eq!(dropped_by(stages.iter(), &stages[2]), []);
}

#[test]
fn alternatives_exclude_each_other_where_one_needs_what_the_other_drops() {
    let stages = reading(&[&[], &[], &[0, 1], &[2], &[3]]);
    let other = |decides: u32, stage: u32, dropped: &[u32]| Alternative {
        decides: StageId::new(decides),
        bytes_max: 0,
        stage: Stage {
            inputs: vec![StageInput {
                input: 0,
                stage: StageId::new(decides),
                read: InputRead::All,
            }],
            ..stages[stage as usize].clone()
        },
        dropped: dropped.iter().copied().map(StageId::new).collect(),
    };
    let pairs = [
        // One stage after the other.
        (other(0, 2, &[1]), other(2, 3, &[]), false),
        // The same stage, the same dropped, decided by the dropped.
        (other(0, 2, &[1]), other(1, 2, &[0]), true),
        (other(0, 3, &[1, 2]), other(0, 2, &[1]), true),
        (other(0, 2, &[1]), other(1, 3, &[]), true),
    ];
    for (one, two, excludes) in pairs {
        assert_eq!(one.excludes(&two), excludes, "{one:?} {two:?}");
        assert_eq!(two.excludes(&one), excludes, "{two:?} {one:?}");
    }
}

#[test]
fn tasks_that_share_a_partition_read_all_producers_between_them() {
    let mut graph = two_stages(&[(0, 8)]);
    let task = graph.stages[0].tasks[0].clone();
    graph.stages[0].tasks = vec![task; 5];
    let shared = |start, end| TaskTemplate {
        scans: vec![],
        partitions: PartitionRange { start: 0, end: 1 },
        share: Some(InputShare {
            input: 0,
            producers: PartitionRange { start, end },
        }),
    };
    let rest = TaskTemplate {
        partitions: PartitionRange { start: 1, end: 8 },
        ..TaskTemplate::default()
    };
    let tasks = [shared(0, 2), shared(2, 5), rest];
    let is_right = |graph: &StageGraph| reads_once(&graph.stages[1], &tasks, |id| graph.stage(id).map(Written::from));
    assert!(is_right(&graph));
    // Formed by another number of producers, of which the last would be read by nobody, or which there are not.
    for producers in [6, 4, 1] {
        let task = graph.stages[0].tasks[0].clone();
        graph.stages[0].tasks = vec![task; producers];
        assert!(!is_right(&graph), "{producers}");
    }
    assert!(!reads_once(&graph.stages[1], &tasks[1..], |id| graph
        .stage(id)
        .map(Written::from)));
}
