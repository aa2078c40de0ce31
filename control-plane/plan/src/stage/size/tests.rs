//! Tests of `size`.

use super::*;

fn sizing(target_task_bytes: u64, local_partitions: u32) -> Sizing {
    Sizing {
        target_task_bytes,
        local_partitions,
        concurrency: 1_000,
        one_task_bytes: target_task_bytes,
    }
}

#[test]
fn the_last_wave_is_full() {
    let tasks = |concurrency, wanted| {
        let sizing = Sizing {
            concurrency,
            ..sizing(100 << 20, 1)
        };
        sizing.exchange_tasks(wanted * (100_u64 << 20))
    };
    assert_eq!([1, 2, 3, 4, 5].map(|wanted| tasks(2, wanted)), [1, 2, 4, 4, 6]);
    assert_eq!([99, 100, 101].map(|wanted| tasks(100, wanted)), [99, 100, 200]);
}

#[test]
fn bytes_decide_on_tasks() {
    let normal = sizing(100 << 20, 2);
    assert_eq!(normal.exchange_tasks(0), 1);
    assert_eq!(normal.exchange_tasks(100 << 20), 1);
    assert_eq!(normal.exchange_tasks((100 << 20) + 1), 2);
    // Never more tasks than there are partitions for.
    assert_eq!(normal.exchange_tasks(u64::MAX), 1_024, "partitions bound it");
}

#[test]
fn tiny_targets_force_the_shape() {
    for target in [1, 1_000_000, FORCED_BYTES - 1] {
        let forced = sizing(target, 1);
        assert_eq!(forced.exchange_tasks(0), 3, "{target}");
        assert_eq!(forced.exchange_tasks(u64::MAX), 8, "{target}");
    }
    let scan_tasks_max = |target| sizing(target, 1).forced_scan_tasks_max();
    assert_eq!([1, SHAPE_BYTES - 1, SHAPE_BYTES].map(scan_tasks_max), [8, 8, 24]);
}

#[test]
fn partitions_leave_room_to_regroup() {
    assert_eq!(sizing(1, 1).partitions(3), 12);
    assert_eq!(sizing(1, 16).partitions(3), 48);
    assert_eq!(sizing(1, 256).partitions(u32::MAX), PARTITIONS_MAX);
}
