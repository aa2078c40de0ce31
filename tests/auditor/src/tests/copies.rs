//! Copies of stragglers, honest and not.

use super::*;
use crate::Copying;

const COPYING: Copying = Copying {
    won_percent: 75,
    small_tasks: 2,
    small_percent: 300,
    elapsed_percent: 140,
    crowd_percent: 200,
    elapsed_ms_min: 500,
    speed_percent: 80,
    tasks_percent: 5,
    cost_percent: 5,
    cost_mb_ms_min: 5_000 * 1_769,
};

/// A stage of eight tasks, of which so many have taken a second; the others run since one second.
fn stage_of_eight(copying: Copying, finished: u32) -> Scene {
    let mut scene = Scene::new();
    scene.auditor = Auditor::new(Bounds {
        concurrency_max: 20,
        copies: Some(copying),
        ..BOUNDS
    });
    let mut wide = graph();
    wide.stages[0].tasks = vec![TaskTemplate::default(); 8];
    scene
        .auditor
        .submitted(scene.now, query(), 1, Rc::new(wide), EpochMs(100_000));
    let specs: Vec<_> = (0..8)
        .map(|index| scene.launch(task(0, index), vec![]).expect("allowed"))
        .collect();
    scene.now = EpochMs(2_000);
    for (nonce, spec) in (1..).zip(&specs[..finished as usize]) {
        scene.report(spec, nonce, 100);
    }
    scene
}

fn copy(scene: &mut Scene, index: u32, at: u64) -> Result<(), Violation> {
    scene.now = EpochMs(at);
    scene.launch(task(0, index), vec![]).map(drop)
}

#[test]
fn a_straggler_may_have_one_copy() {
    let mut scene = stage_of_eight(COPYING, 7);
    assert_eq!(copy(&mut scene, 7, 2_401), Ok(()));
    objects(copy(&mut scene, 7, 2_402), "second copy of its task");
}

#[test]
fn a_stage_has_few_copies() {
    let mut scene = stage_of_eight(COPYING, 6);
    assert_eq!(copy(&mut scene, 6, 4_000), Ok(()));
    objects(copy(&mut scene, 7, 4_001), "copy number 2 in a stage of 8");
}

#[test]
fn a_copy_is_late_after_most_have_won() {
    objects(copy(&mut stage_of_eight(COPYING, 5), 7, 9_000), "5 of 8 tasks");
    objects(copy(&mut stage_of_eight(COPYING, 7), 7, 2_400), "took as long");
    // Two are unfinished, and one may be copied: twice the patience.
    objects(copy(&mut stage_of_eight(COPYING, 6), 7, 3_800), "took as long");
    assert_eq!(copy(&mut stage_of_eight(COPYING, 6), 7, 3_801), Ok(()));
    let patient = Copying {
        elapsed_ms_min: 5_000,
        ..COPYING
    };
    objects(copy(&mut stage_of_eight(patient, 7), 7, 6_000), "late so soon");
}

#[test]
fn a_small_stage_waits_for_longer_than_its_slowest_task() {
    let small = Copying {
        small_tasks: 9,
        ..COPYING
    };
    objects(copy(&mut stage_of_eight(small, 5), 7, 3_900), "a small stage");
    assert_eq!(copy(&mut stage_of_eight(small, 5), 7, 4_001), Ok(()));
}

#[test]
fn copies_have_a_price() {
    let poor = Copying {
        cost_percent: 0,
        cost_mb_ms_min: 1_769_000 - 1,
        ..COPYING
    };
    objects(
        copy(&mut stage_of_eight(poor, 7), 7, 3_000),
        "with which copies cost 1769000",
    );
}

#[test]
fn without_a_rule_there_are_none_and_a_first_attempt_comes_first() {
    let mut scene = Scene::new();
    scene.launch(task(0, 0), vec![]).expect("allowed");
    objects(scene.launch(task(0, 0), vec![]).map(drop), "on the same inputs");
    let attempt = |index| AttemptId {
        query: query(),
        task: task(0, index),
        epoch: 1,
        number: 0,
    };
    let mut copied = None;
    assert_eq!(crate::copies::check_turn(&mut copied, &attempt(0), true), Ok(()));
    let verdict = crate::copies::check_turn(&mut copied, &attempt(1), false);
    assert!(verdict.expect_err("it waited").contains("took its slot"));
}

#[test]
fn a_copys_failure_is_held_against_nobody_until_it_runs_alone() {
    let mut scene = stage_of_eight(COPYING, 7);
    scene.now = EpochMs(3_000);
    let copied = Rc::new(scene.spec(task(0, 7), vec![]));
    assert_eq!(scene.auditor.invoked(scene.now, &copied), Ok(()));
    let wrong = Failure::user(ErrorCode::DivisionByZero, "");
    scene.fail(&copied, wrong);
    let error = QueryError::new(ErrorCode::DivisionByZero, "");
    objects(scene.end(Outcome::Failed { error }, &[(0, 8)]), "for no reason");
}
