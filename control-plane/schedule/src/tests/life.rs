//! The good path, and the oddities that queues bring: duplicates, late and losing reports.

use super::check;
use expect_test::expect;

#[test]
fn one_task_is_one_invocation() {
    check(
        "submit q 1
         report s0/t0/a0",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            report s0/t0/a0
                finish q with s0/t0/a0; s0 1× 100 ms
        "#]],
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
        expect![[r#"
            submit q 2>3>1
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t1/a0
            progress q
                s0: 0 planned, 0 queued, 1 running, 1 done, 0 failed; 4 rows out
                s1: 3 planned, 0 queued, 0 running, 0 done, 0 failed; 0 rows out
                s2: 1 planned, 0 queued, 0 running, 0 done, 0 failed; 0 rows out
            report s0/t0/a0
                invoke s1/t0/a0 [0..1] s0/t0/a0+16, s0/t1/a0+16
                invoke s1/t1/a0 [1..2] s0/t0/a0+26, s0/t1/a0+26
                invoke s1/t2/a0 [2..4] s0/t0/a0+36, s0/t1/a0+36
            report s1/t0/a0
            report s1/t2/a0
            report s1/t1/a0
                invoke s2/t0/a0 [0..4] s1/t0/a0+16, s1/t1/a0+16, s1/t2/a0+16
            report s2/t0/a0
                finish q with s2/t0/a0; s0 2× 200 ms, s1 3× 300 ms, s2 1× 100 ms
        "#]],
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
        expect![[r#"
            submit q 2>2
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0 inline
            report s0/t1/a0 empty
                invoke s1/t0/a0 [0..2] s0/t0 inline 20, s0/t1 empty
                invoke s1/t1/a0 [2..4] s0/t0 inline 20, s0/t1 empty
            report s1/t0/a0 inline
            report s1/t1/a0 inline empty
                finish q with inline 10, inline 0; s0 2× 200 ms, s1 2× 200 ms
        "#]],
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
        expect![[r#"
            submit q diamond
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16, s0/t1/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36, s0/t1/a0+36
                invoke s2/t0/a0 [0..2] s0/t0/a0+16, s0/t1/a0+16
                invoke s2/t1/a0 [2..4] s0/t0/a0+36, s0/t1/a0+36
            report s1/t0/a0
            report s1/t1/a0
            report s2/t0/a0
            report s2/t1/a0
                invoke s3/t0/a0 [0..4] s1/t0/a0+16, s1/t1/a0+16 [0..4] s2/t0/a0+16, s2/t1/a0+16
            report s3/t0/a0
                finish q with s3/t0/a0; s0 2× 200 ms, s1 2× 200 ms, s2 2× 200 ms, s3 1× 100 ms
        "#]],
    );
}

#[test]
fn a_report_delivered_twice_wins_once_and_is_metered_twice() {
    check(
        "submit q 1>1
         report s0/t0/a0
         report s0/t0/a0
         report s1/t0/a0",
        expect![[r#"
            submit q 1>1
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            report s0/t0/a0
            report s1/t0/a0
                finish q with s1/t0/a0; s0 2× 200 ms, s1 1× 100 ms
        "#]],
    );
}

#[test]
fn the_second_execution_of_an_attempt_loses_and_its_object_is_discarded() {
    check(
        "submit q 1>1
         report s0/t0/a0 nonce=1
         report s0/t0/a0 nonce=2
         report s1/t0/a0",
        expect![[r#"
            submit q 1>1
                invoke s0/t0/a0
            report s0/t0/a0 nonce=1
                invoke s1/t0/a0 [0..4] s0/t0/a0#1+16
            report s0/t0/a0 nonce=2
            report s1/t0/a0
                finish q with s1/t0/a0; s0 2× 200 ms, s1 1× 100 ms
                discard s0/t0/a0#2
        "#]],
    );
}

#[test]
fn an_attempt_that_never_answers_is_billed_at_its_bound_and_runs_again() {
    check(
        "settings task=5s
         submit q 1
         wait 20s
         report s0/t0/a1",
        expect![[r#"
            settings task=5s
            submit q 1
                invoke s0/t0/a0
            wait 20s
                15.000 s: invoke s0/t0/a1
            report s0/t0/a1
                finish q with s0/t0/a1; s0 2× at most 15100 ms
        "#]],
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
        expect![[r#"
            settings task=5s
            submit q 1>1
                invoke s0/t0/a0
            wait 16s
                15.000 s: invoke s0/t0/a1
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            report s0/t0/a1
            report s1/t0/a0
                finish q with s1/t0/a0; s0 2× 200 ms, s1 1× 100 ms
                discard s0/t0/a1
        "#]],
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
        expect![[r#"
            settings task=5s
            submit q 1>1
                invoke s0/t0/a0
            wait 16s
                15.000 s: invoke s0/t0/a1
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            fail s0/t0/a1 user
            fail s0/t0/a1 user
            report s1/t0/a0
                finish q with s1/t0/a0; s0 3× 120 ms, s1 1× 100 ms
        "#]],
    );
}
