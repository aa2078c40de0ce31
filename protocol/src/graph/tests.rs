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
