//! The good path, and the oddities that queues bring: duplicates, late and losing reports.

use super::check;
use expect_test::expect;

#[test]
fn one_task_is_one_invocation() {
    check(
        "submit q 1
         report s0/t0/a0",
        expect![[r#""#]],
    );
}

#[test]
fn a_stage_starts_when_its_inputs_are_complete_and_reads_its_ranges() {
    check(
        "submit q 2>3>1
         report s0/t1/a0
         progress q
         report s0/t0/a0
         report s1/t0/a0
         report s1/t2/a0
         report s1/t1/a0
         report s2/t0/a0",
        expect![[r#""#]],
    );
}

#[test]
fn tiny_outputs_ride_in_the_specs_and_empty_ones_are_not_read() {
    check(
        "submit q 2>2
         report s0/t0/a0 inline
         report s0/t1/a0 empty
         report s1/t0/a0 inline
         report s1/t1/a0 inline empty",
        expect![[r#""#]],
    );
}

#[test]
fn a_diamond_joins_what_it_split() {
    check(
        "submit q diamond
         report s0/t0/a0
         report s0/t1/a0
         report s1/t0/a0
         report s1/t1/a0
         report s2/t0/a0
         report s2/t1/a0
         report s3/t0/a0",
        expect![[r#""#]],
    );
}

#[test]
fn a_report_delivered_twice_wins_once_and_is_metered_twice() {
    check(
        "submit q 1>1
         report s0/t0/a0
         report s0/t0/a0
         report s1/t0/a0",
        expect![[r#""#]],
    );
}

#[test]
fn the_second_execution_of_an_attempt_loses_and_its_object_is_discarded() {
    check(
        "submit q 1>1
         report s0/t0/a0 nonce=1
         report s0/t0/a0 nonce=2
         report s1/t0/a0",
        expect![[r#""#]],
    );
}

#[test]
fn an_attempt_that_never_answers_is_billed_at_its_bound_and_runs_again() {
    check(
        "settings task=5s
         submit q 1
         wait 20s
         report s0/t0/a1",
        expect![[r#""#]],
    );
}

#[test]
fn an_answer_after_all_wins_and_replaces_its_bound() {
    check(
        "settings task=5s
         submit q 1>1
         wait 16s
         report s0/t0/a0
         report s0/t0/a1
         report s1/t0/a0",
        expect![[r#""#]],
    );
}

#[test]
fn a_failure_of_a_task_that_is_done_changes_nothing() {
    check(
        "settings task=5s
         submit q 1>1
         wait 16s
         report s0/t0/a0
         fail s0/t0/a1 user
         fail s0/t0/a1 user
         report s1/t0/a0",
        expect![[r#""#]],
    );
}
