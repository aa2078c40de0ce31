//! When what failed runs again, how many run at once, when a fleet is dead, and what is left behind.

use super::*;

/// A stage of so many tasks.
fn wide(tasks: usize) -> Scene {
    let mut scene = Scene::new();
    let mut wide = graph();
    wide.stages[0].tasks = vec![TaskTemplate::default(); tasks];
    let bounds = Bounds {
        concurrency_max: 8,
        ..BOUNDS
    };
    scene.auditor = Auditor::new(bounds);
    scene
        .auditor
        .submitted(scene.now, query(), 1, Rc::new(wide), EpochMs(300_000));
    scene
}

fn throttled(retry_after_ms: Option<u64>) -> Failure {
    Failure::Throttled { retry_after_ms }
}

fn transient() -> Failure {
    let message = String::new();
    Failure::Transient { message }
}

#[test]
fn a_retry_before_it_was_asked_for_is_seen() {
    let mut scene = Scene::new();
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    scene.fail(&spec, throttled(Some(700)));
    scene.now = EpochMs(1_699);
    objects(scene.launch(task(0, 0), vec![]).map(drop), "asked to wait until 1700");
}

#[test]
fn a_retry_that_was_due_long_ago_is_seen() {
    let mut scene = Scene::new();
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    scene.fail(&spec, transient());
    scene.now = EpochMs(1_100);
    assert!(scene.launch(task(0, 0), vec![]).is_ok());
    let mut scene = Scene::new();
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    scene.fail(&spec, Failure::Broken { message: String::new() });
    scene.now = EpochMs(1_101);
    objects(scene.launch(task(0, 0), vec![]).map(drop), "a slot was free");
}

#[test]
fn retries_that_never_wait_are_seen() {
    let mut scene = wide(3);
    let mut verdict = Ok(());
    for index in [0, 0, 0, 1, 1, 1, 2, 2] {
        let spec = scene.launch(task(0, index), vec![]);
        match spec {
            Ok(spec) => scene.fail(&spec, transient()),
            Err(violation) => verdict = Err(violation),
        }
    }
    assert_eq!(verdict, Ok(()));
    let spec = scene.launch(task(0, 2), vec![]);
    objects(spec.map(drop), "waited for nothing");
}

#[test]
fn a_size_that_no_failure_called_for_is_seen() {
    let message = String::new;
    // Whoever was short has all the time that the query has.
    let until = |failures: &[Failure]| {
        let is_short = |failure: &Failure| matches!(failure, Failure::NeedsMemory { .. });
        EpochMs(if failures.iter().any(is_short) { 100_000 } else { 61_000 })
    };
    let sized = |failures: &[Failure], size: FunctionSize| {
        let mut scene = Scene::new();
        let mut sizes = [FunctionSize::One, FunctionSize::Two].into_iter();
        for failure in failures {
            let mut spec = scene.spec(task(0, 0), vec![]);
            spec.size = sizes.next().expect("few failures");
            spec.deadline = until(&failures[..spec.attempt.number as usize]);
            scene.auditor.invoked(scene.now, &Rc::new(spec.clone()))?;
            scene.fail(&spec, failure.clone());
        }
        let mut spec = scene.spec(task(0, 0), vec![]);
        spec.size = size;
        spec.deadline = until(failures);
        scene.auditor.invoked(scene.now, &Rc::new(spec))
    };
    let lost = Failure::EnvironmentLost { message: message() };
    let short = Failure::NeedsMemory { message: message() };
    objects(sized(&[lost], FunctionSize::Two), "call for 1769");
    objects(sized(std::slice::from_ref(&short), FunctionSize::Four), "call for 3538");
    let twice = [short.clone(), short];
    objects(sized(&twice, FunctionSize::Four), "call for 10240");
    assert_eq!(sized(&twice, FunctionSize::Six), Ok(()));
}

/// One task of a query that has so long, in attempts of the largest size: each may run until then, and fails so, if it fails.
fn timed(deadline: u64, attempts: &[(u64, Option<Failure>)]) -> Result<Scene, Violation> {
    let mut scene = Scene::new();
    scene.auditor = Auditor::new(BOUNDS);
    scene
        .auditor
        .submitted(scene.now, query(), 1, Rc::new(graph()), EpochMs(deadline));
    for (until, failure) in attempts {
        let mut spec = scene.spec(task(0, 0), vec![]);
        (spec.size, spec.deadline) = (FunctionSize::Six, EpochMs(*until));
        scene.auditor.invoked(scene.now, &Rc::new(spec.clone()))?;
        failure.iter().for_each(|failure| scene.fail(&spec, failure.clone()));
    }
    Ok(scene)
}

fn timed_out() -> Option<Failure> {
    let message = String::new();
    Some(Failure::TimedOut { message })
}

#[test]
fn an_attempt_with_no_more_time_than_one_that_was_short_is_seen() {
    let message = String::new();
    let short = Some(Failure::NeedsMemory { message });
    for short in [short, timed_out()] {
        let after = |until: u64, query: u64| timed(query, &[(11_000, short.clone()), (until, None)]).map(drop);
        objects(after(40_999, 300_000), "call for 41000");
        objects(after(41_001, 300_000), "call for 41000");
        assert_eq!(after(41_000, 300_000), Ok(()));
        assert_eq!(after(30_000, 30_000), Ok(()), "the query has no more");
    }
    let most = 1_000 + limits::TASK_DURATION_MS_MAX;
    let mut scene = timed(300_000, &[(11_000, timed_out())]).expect("allowed");
    scene.auditor.woke(scene.now);
    let mut spec = scene.spec(task(0, 0), vec![]);
    (spec.size, spec.deadline) = (FunctionSize::Six, EpochMs(11_000));
    objects(scene.auditor.invoked(scene.now, &Rc::new(spec)), "had not enough");
    let mut bounded = vec![(601_000, timed_out()), (most, None)];
    assert!(timed(2_000_000, &bounded).is_ok(), "the platform has no more");
    bounded[1].0 = most - 1;
    objects(timed(2_000_000, &bounded).map(drop), "call for 901000");
}

#[test]
fn an_attempt_without_a_shortage_before_it_has_no_more_time() {
    let after = |until: u64| timed(300_000, &[(11_000, Some(transient())), (until, None)]).map(drop);
    objects(after(41_000), "call for 11000");
    assert_eq!(after(11_000), Ok(()));
}

#[test]
fn a_timeout_at_the_largest_size_is_the_end_only_where_there_is_no_more_time() {
    let error = || Outcome::Failed {
        error: QueryError::new(ErrorCode::ExceededTimeLimit, ""),
    };
    let mut scene = timed(300_000, &[(11_000, timed_out())]).expect("allowed");
    objects(scene.end(error(), &[(0, 1)]), "for no reason");
    let mut scene = timed(300_000, &[(11_000, timed_out()), (41_000, timed_out())]).expect("allowed");
    assert_eq!(scene.end(error(), &[(0, 2)]), Ok(()));
    let cut = [(20_000, timed_out()), (20_000, None)];
    assert_eq!(
        timed(20_000, &cut[..1]).expect("allowed").end(error(), &[(0, 1)]),
        Ok(())
    );
    objects(timed(20_000, &cut).map(drop), "no more of anything");
}

#[test]
fn a_width_that_throttling_has_halved_is_kept_to() {
    let mut scene = wide(9);
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    scene.fail(&spec, throttled(None));
    for index in 1..=4 {
        assert!(scene.launch(task(0, index), vec![]).is_ok());
    }
    objects(scene.launch(task(0, 5), vec![]).map(drop), "over 4 after throttling");
}

#[test]
fn a_task_that_waits_beside_a_free_slot_is_seen() {
    let mut scene = wide(2);
    assert!(scene.launch(task(0, 0), vec![]).is_ok());
    scene.now = EpochMs(1_500);
    objects(scene.launch(task(0, 1), vec![]).map(drop), "a slot was free at 1000");
    let mut scene = wide(2);
    scene.auditor.woke(scene.now);
    assert!(scene.launch(task(0, 0), vec![]).is_ok());
    scene.now = EpochMs(1_500);
    assert!(scene.launch(task(0, 1), vec![]).is_ok(), "it stood still");
}

#[test]
fn a_launch_into_a_dead_fleet_and_an_end_for_a_living_one_are_seen() {
    let error = || Outcome::Failed {
        error: QueryError::new(ErrorCode::NoNodesAvailable, ""),
    };
    let failing = |until: u64| {
        let mut scene = wide(1);
        let mut bill = 0;
        while scene.now.0 < until {
            let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
            scene.fail(&spec, throttled(Some(1_000)));
            bill += 1;
            scene.now = EpochMs(scene.now.0 + 1_000);
        }
        (scene, bill)
    };
    let (mut scene, bill) = failing(61_000);
    assert_eq!(scene.end(error(), &[(0, bill)]), Ok(()));
    let (mut scene, bill) = failing(60_000);
    objects(scene.end(error(), &[(0, bill)]), "for no reason");
    let (mut scene, _) = failing(61_000);
    scene.now = EpochMs(61_001);
    objects(scene.launch(task(0, 0), vec![]).map(drop), "for too long");
}

#[test]
fn a_loser_that_is_left_behind_is_seen() {
    let ended = |given_up: bool| {
        let mut scene = Scene::new();
        let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
        let produced = scene.report(&spec, 1, 100);
        let loser = scene.report(&spec, 9, 100);
        let left = scene.launch(task(1, 0), read(&produced, (0, 2))).expect("allowed");
        let right = scene.launch(task(1, 1), read(&produced, (2, 4))).expect("allowed");
        let outputs = vec![scene.report(&left, 2, 200), scene.report(&right, 3, 300)];
        scene.finish(outputs, &[(0, 2), (1, 2)])?;
        scene.auditor.durable(&query());
        if given_up {
            scene.auditor.discarded(scene.now, &spec.attempt, &loser)?;
            let again = scene.auditor.discarded(scene.now, &spec.attempt, &loser);
            objects(again, "discarded twice");
        }
        scene.auditor.ended(scene.now)
    };
    objects(ended(false), "behind");
    assert_eq!(ended(true), Ok(()));
}

#[test]
fn a_launch_before_what_its_stage_waits_for_is_seen() {
    let mut scene = wide(1);
    let mut held = graph();
    held.stages[1].inputs.clear();
    held.stages[1].after = Some(StageId::new(0));
    scene.auditor = Auditor::new(BOUNDS);
    scene
        .auditor
        .submitted(scene.now, query(), 1, Rc::new(held), EpochMs(100_000));
    objects(scene.launch(task(1, 0), vec![]).map(drop), "before s0 was complete");
}

#[test]
fn what_was_found_lost_is_not_read_and_what_stands_does_not_run_again() {
    let lost = |produced: &Output| Failure::InputLost {
        producer: task(0, 0),
        key: crate::history::object_key(produced).expect("an object").to_string(),
        message: String::new(),
    };
    let mut scene = Scene::new();
    let produced = scene.produce();
    scene.now = EpochMs(2_000);
    scene.auditor.woke(scene.now);
    let left = scene.launch(task(1, 0), read(&produced, (0, 2))).expect("allowed");
    scene.fail(&left, lost(&produced));
    objects(
        scene.launch(task(1, 1), read(&produced, (2, 4))).map(drop),
        "which was found lost",
    );
    let mut scene = Scene::new();
    let produced = scene.produce();
    let left = scene.launch(task(1, 0), read(&produced, (0, 2))).expect("allowed");
    let right = scene.launch(task(1, 1), read(&produced, (2, 4))).expect("allowed");
    scene.fail(&left, lost(&produced));
    let spec = scene.launch(task(0, 0), vec![]).expect("it was lost");
    scene.report(&spec, 7, 100);
    scene.fail(&right, lost(&produced));
    objects(scene.launch(task(0, 0), vec![]).map(drop), "its winner stands");
}

#[test]
fn winners_that_the_journal_is_not_told_of_are_seen() {
    let mut scene = wide(3);
    let bounds = Bounds {
        journal_wins_max: 1,
        ..BOUNDS
    };
    let mut three = graph();
    three.stages[0].tasks = vec![TaskTemplate::default(); 3];
    scene.auditor = Auditor::new(bounds);
    scene
        .auditor
        .submitted(scene.now, query(), 1, Rc::new(three), EpochMs(300_000));
    let spec = scene.launch(task(0, 0), vec![]).expect("allowed");
    scene.report(&spec, 1, 100);
    objects(scene.launch(task(0, 1), vec![]).map(drop), "was not told");
    scene.auditor.asked_to_journal(&query());
    scene.numbers.clear();
    scene.numbers.insert(task(0, 0), 1);
    assert!(scene.launch(task(0, 1), vec![]).is_ok());
}
