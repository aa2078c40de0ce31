//! Two hundred thousand seeds in the test command, the seeds that once broke something, and guards against a simulation in which nothing
//! happens.

use mayfly_schedule::Counters;
use mayfly_simulation::world::{price_book, run_without_faults};
use mayfly_simulation::{Campaign, Tracing, run};

const SEEDS: u64 = 200_000;
/// Each fault, branch and ending fires at least so often in them.
const FIRED_MIN: u64 = 200;

const FAULTS: &[&str] = &[
    "answer duplicated",
    "answer late",
    "answer lost",
    "broken",
    "canceled",
    "canceled at the end",
    "canceled elsewhere",
    "clock jump",
    "crash after a claim",
    "crash at the end",
    "crash at write",
    "crash before a write",
    "crash while accepting",
    "crash while claiming",
    "crash while idle",
    "crash while listing",
    "crash while running",
    "cursed",
    "delivered past its deadline",
    "duplicate execution",
    "environment lost",
    "fleet dead",
    "footer unreadable",
    "hungry",
    "malformed report",
    "memory",
    "message duplicated",
    "message late",
    "message lost",
    "object damaged",
    "object lost",
    "object missing",
    "paused",
    "put conflict",
    "put failed",
    "put refused",
    "put slow",
    "put unanswered",
    "read failed",
    "report to the dead",
    "straggler",
    "submitted twice",
    "throttled",
    "timed out",
    "transient",
    "user error",
    "wrong pins",
    "zombie",
];

/// Recoveries of coordinators; those of the scheduler are its counters.
const RECOVERIES: &[&str] = &[
    "accepted elsewhere",
    "cancel heard",
    "cancel too late",
    "claim",
    "claimed elsewhere",
    "fenced at a beat",
    "fenced at entries",
    "fenced at the end",
    "judged by every rule",
    "lease put off",
    "message sent again",
    "nothing to journal",
    "number taken",
    "own record read back",
    "plan put",
    "put again",
    "record passed",
    "submitted again",
    "swept",
];

const ENDINGS: &[&str] = &[
    "DIVISION_BY_ZERO",
    "EXCEEDED_LOCAL_MEMORY_LIMIT",
    "EXCEEDED_TIME_LIMIT",
    "GENERIC_INTERNAL_ERROR",
    "MAYFLY_S3_ERROR",
    "MAYFLY_TASK_POISONED",
    "NO_NODES_AVAILABLE",
    "REMOTE_TASK_ERROR",
    "canceled",
    "finished",
    "answer equals the oracle's",
];

#[test]
fn all_seeds_hold_and_every_branch_fires() {
    let report = Campaign { start: 0, seeds: SEEDS }.run();
    assert_eq!(report.broken, 0, "{:#?}", report.listed);
    assert_eq!(report.seeds, SEEDS);
    assert_eq!(report.repeated, SEEDS / 1_000);
    let faults = FAULTS.iter().map(|name| format!("fault {name}"));
    let endings = ENDINGS.iter().map(|name| format!("end {name}"));
    let recoveries = RECOVERIES.iter().copied();
    let counters = Counters::default();
    let counters = counters.entries().into_iter().map(|(name, _)| name);
    let branches = counters.chain(recoveries);
    let branches = branches.map(|name| format!("branch {name}"));
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
            name.starts_with("end ") && !matches!(name.as_str(), "end finished" | "end answer equals the oracle's")
        });
        assert!(ends > 0 && failures.count() == 0, "seed={seed}\n{}", run.coverage);
    }
}

#[test]
fn a_seed_is_enough_to_repeat_a_run() {
    let book = price_book();
    let traced = run(7, &book, Tracing::HashAndKeep);
    assert!(!traced.trace.is_empty());
    assert_eq!(traced, run(7, &book, Tracing::HashAndKeep));
    assert_ne!(traced.hash, run(8, &book, Tracing::Hash).hash);
}

/// `seed  what it found`, one a line. What a seed means changes with every draw that is added, so most stand for their kind.
const REGRESSIONS: &str = include_str!("../regressions/seeds.txt");

#[test]
fn seeds_that_once_broke_something_hold() {
    let book = price_book();
    let lines = REGRESSIONS.lines().filter(|line| !line.starts_with('#'));
    for line in lines.filter(|line| !line.is_empty()) {
        let (seed, found) = line.split_once("  ").expect("a seed and what it found");
        let seed: u64 = seed.parse().expect("a seed");
        assert_eq!(
            run(seed, &book, Tracing::Off).broken,
            None,
            "seed={seed} once found: {found}"
        );
    }
}
