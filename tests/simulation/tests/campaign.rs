//! Ten thousand seeds in the test command, and guards against a simulation in which nothing happens.

use mayfly_simulation::world::{price_book, run_without_faults};
use mayfly_simulation::{Campaign, run};

/// Each fault, branch and ending fires at least so often in ten thousand seeds.
const FIRED_MIN: u64 = 10;

const FAULTS: &[&str] = &[
    "answer duplicated",
    "answer late",
    "answer lost",
    "broken",
    "canceled",
    "cursed",
    "delivered past its deadline",
    "duplicate execution",
    "environment lost",
    "fleet dead",
    "hungry",
    "malformed report",
    "memory",
    "object lost",
    "object missing",
    "straggler",
    "throttled",
    "timed out",
    "transient",
    "user error",
];

const ENDINGS: &[&str] = &[
    "DIVISION_BY_ZERO",
    "EXCEEDED_LOCAL_MEMORY_LIMIT",
    "EXCEEDED_TIME_LIMIT",
    "MAYFLY_S3_ERROR",
    "MAYFLY_TASK_POISONED",
    "NO_NODES_AVAILABLE",
    "REMOTE_TASK_ERROR",
    "canceled",
    "finished",
    "answer equals the oracle's",
];

#[test]
fn ten_thousand_seeds_hold_and_every_branch_fires() {
    let report = Campaign {
        start: 0,
        seeds: 10_000,
    }
    .run();
    assert_eq!(report.broken, 0, "{:#?}", report.listed);
    assert_eq!(report.seeds, 10_000);
    assert_eq!(report.repeated, 10);
    let faults = FAULTS.iter().map(|name| format!("fault {name}"));
    let endings = ENDINGS.iter().map(|name| format!("end {name}"));
    let branches = report.coverage.entries().map(|(name, _)| name.to_owned());
    let branches = branches.filter(|name| name.starts_with("branch "));
    let idle: Vec<String> = faults
        .chain(endings)
        .chain(branches)
        .filter(|name| report.coverage.count(name) < FIRED_MIN)
        .collect();
    assert!(
        idle.is_empty(),
        "fired less than {FIRED_MIN} times: {idle:?}\n{}",
        report.coverage
    );
}

#[test]
fn without_faults_every_query_finishes() {
    let book = price_book();
    for seed in 0..300 {
        let run = run_without_faults(seed, &book);
        assert_eq!(run.broken, None);
        let ends: u64 = ["end finished"].map(|name| run.coverage.count(name)).iter().sum();
        let failures = run.coverage.entries().filter(|(name, _)| {
            name.starts_with("end ") && !matches!(*name, "end finished" | "end answer equals the oracle's")
        });
        assert!(ends > 0 && failures.count() == 0, "seed={seed}\n{}", run.coverage);
    }
}

#[test]
fn a_seed_is_enough_to_repeat_a_run() {
    let book = price_book();
    let traced = run(7, &book, true);
    assert!(!traced.trace.is_empty());
    assert_eq!(traced, run(7, &book, true));
    assert_ne!(traced.hash, run(8, &book, false).hash);
}
