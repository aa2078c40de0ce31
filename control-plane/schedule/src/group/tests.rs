//! Tests of `group`.

use super::*;
use mayfly_protocol::graph::covers_with_shares;

fn regroup(task_bytes: u64, slots: u32, divisible: &[u32]) -> Regroup {
    Regroup {
        task_bytes,
        slots,
        divisible: divisible.to_vec(),
    }
}

/// One producer for each list of bytes.
fn input(input: u32, bytes: &[&[u64]]) -> Input {
    let bytes = bytes.iter().map(|producer| producer.to_vec()).collect();
    Input { input, bytes }
}

/// `0-3` for partitions 0, 1, 2; `3:0-2` for what producers 0 and 1 wrote of partition 3.
fn shown(tasks: &[TaskTemplate]) -> Vec<String> {
    let show = |task: &TaskTemplate| match task.share {
        None => format!("{}-{}", task.partitions.start, task.partitions.end),
        Some(share) => {
            let producers = share.producers;
            format!("{}:{}-{}", task.partitions.start, producers.start, producers.end)
        }
    };
    tasks.iter().map(show).collect()
}

#[test]
fn small_partitions_go_together() {
    let inputs = [input(0, &[&[1, 1, 1, 1]]), input(1, &[&[2, 2, 2, 2]])];
    assert_eq!(shown(&tasks(&regroup(100, 8, &[]), &inputs, 4)), ["0-4"]);
    assert_eq!(shown(&tasks(&regroup(6, 8, &[]), &inputs, 4)), ["0-2", "2-4"]);
    assert_eq!(
        shown(&tasks(&regroup(1, 8, &[]), &inputs, 4)),
        ["0-1", "1-2", "2-3", "3-4"]
    );
}

#[test]
fn without_rows_there_is_one_task() {
    let inputs = [input(0, &[&[0; 7], &[0; 7]])];
    assert_eq!(shown(&tasks(&regroup(10, 8, &[0]), &inputs, 7)), ["0-7"]);
}

#[test]
fn tasks_fill_whole_waves() {
    let inputs = [input(0, &[&[10; 12]])];
    assert_eq!(
        tasks(&regroup(40, 2, &[]), &inputs, 12).len(),
        4,
        "120 bytes take 3 tasks, 4 fill two waves"
    );
    assert_eq!(tasks(&regroup(40, 3, &[]), &inputs, 12).len(), 3);
}

#[test]
fn a_partition_that_is_too_large_is_shared_if_it_may_be() {
    let build = input(0, &[&[1, 1, 1, 1]]);
    let probe = input(1, &[&[2, 2, 20, 2], &[2, 2, 20, 2], &[2, 2, 20, 2]]);
    let inputs = [build, probe];
    let regrouped = tasks(&regroup(25, 8, &[1]), &inputs, 4);
    assert_eq!(shown(&regrouped), ["0-2", "2:0-1", "2:1-2", "2:2-3", "3-4"]);
    assert_eq!(shown(&tasks(&regroup(25, 8, &[]), &inputs, 4)), ["0-2", "2-3", "3-4"]);
}

#[test]
fn any_tasks_read_every_partition_once() {
    let mut state = 7_u64;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for case in 0..2_000 {
        let partitions = 1 + random(20) as u32;
        let mut producers = Vec::new();
        let inputs: Vec<Input> = (0..1 + random(3) as u32)
            .map(|number| {
                let count = 1 + random(6);
                producers.push(count as u32);
                let hot = random(u64::from(partitions));
                let mut row = |_: u64| {
                    (0..u64::from(partitions))
                        .map(|p| random(100) * if p == hot { 50 } else { 1 })
                        .collect()
                };
                Input {
                    input: number,
                    bytes: (0..count).map(&mut row).collect(),
                }
            })
            .collect();
        let divisible: Vec<u32> = (0..random(3) as u32).collect();
        let regrouped = tasks(
            &regroup(1 + random(3_000), 1 + random(9) as u32, &divisible),
            &inputs,
            partitions,
        );
        let count = |input: u32| producers.get(input as usize).copied();
        assert!(
            covers_with_shares(&regrouped, partitions, count),
            "case {case}: {regrouped:?}"
        );
        let only_divisible = |task: &TaskTemplate| task.share.is_none_or(|share| divisible.contains(&share.input));
        assert!(regrouped.iter().all(only_divisible), "case {case}");
    }
}
