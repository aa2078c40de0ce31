//! Copies: when, how many, and what becomes of both.

use super::check;
use expect_test::expect;

#[test]
fn a_straggler_gets_one_copy_and_the_first_report_wins() {
    check(
        "submit q 8>1
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         wait 2s
         report s0/t6/a1
         report s0/t7/a0
         progress q
         report s0/t6/a0
         report s1/t0/a0",
        expect![[r#"
            submit q 8>1
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            wait 2s
                2.801 s: invoke s0/t6/a1
            report s0/t6/a1
            report s0/t7/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16, s0/t1/a0+16, s0/t2/a0+16, s0/t3/a0+16, s0/t4/a0+16, s0/t5/a0+16, s0/t6/a1+16, s0/t7/a0+16
            progress q
                s0: 0 planned, 0 queued, 0 running, 8 done, 0 failed; 32 rows out
                    1 copies, 1 won, 100 ms
                s1: 0 planned, 0 queued, 1 running, 0 done, 0 failed; 0 rows out
            report s0/t6/a0
            report s1/t0/a0
                finish q with s1/t0/a0; s0 9× 900 ms, s1 1× 100 ms
                discard s0/t6/a0
        "#]],
    );
}

#[test]
fn a_task_with_more_to_read_is_no_straggler() {
    check(
        "submit q 8 heavy=5
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         report s0/t6/a0
         wait 10s",
        expect![[r#"
            submit q 8 heavy=5
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            report s0/t6/a0
            wait 10s
                6.251 s: invoke s0/t7/a1
        "#]],
    );
}

#[test]
fn nothing_is_late_before_half_a_second_nor_before_most_have_won() {
    check(
        "submit q 8
         wait 10ms
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         wait 600ms
         report s0/t5/a0
         wait 1s
         report s0/t6/a1",
        expect![[r#"
            submit q 8
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 10ms
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            wait 600ms
            report s0/t5/a0
            wait 1s
                1.001 s: invoke s0/t6/a1
            report s0/t6/a1
        "#]],
    );
}

#[test]
fn a_small_stage_waits_three_times_as_long_as_its_slowest_task() {
    check(
        "submit q 3
         wait 1s
         report s0/t0/a0
         wait 10s
         report s0/t1/a1
         wait 10s",
        expect![[r#"
            submit q 3
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
            wait 1s
            report s0/t0/a0
            wait 10s
                3.001 s: invoke s0/t1/a1
            report s0/t1/a1
            wait 10s
        "#]],
    );
}

#[test]
fn one_task_alone_is_compared_with_nothing() {
    check(
        "submit q 1
         wait 50s",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            wait 50s
        "#]],
    );
}

#[test]
fn a_copy_waits_behind_every_first_attempt() {
    check(
        "settings concurrency=8
         submit q 8
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         submit q2 8
         wait 2s
         report q2/s0/t0/a0
         report q2/s0/t1/a0
         report q2/s0/t2/a0",
        expect![[r#"
            settings concurrency=8
            submit q 8
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            submit q2 8
                invoke q2/s0/t0/a0
                invoke q2/s0/t1/a0
                invoke q2/s0/t2/a0
                invoke q2/s0/t3/a0
                invoke q2/s0/t4/a0
                invoke q2/s0/t5/a0
            wait 2s
            report q2/s0/t0/a0
                invoke q2/s0/t6/a0
            report q2/s0/t1/a0
                invoke q2/s0/t7/a0
            report q2/s0/t2/a0
                invoke s0/t6/a1
        "#]],
    );
}

#[test]
fn a_copy_that_is_no_longer_wanted_when_a_slot_is_free_is_not_launched() {
    check(
        "settings concurrency=8
         submit q 8
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         submit q2 6
         wait 2s
         report s0/t6/a0",
        expect![[r#"
            settings concurrency=8
            submit q 8
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            submit q2 6
                invoke q2/s0/t0/a0
                invoke q2/s0/t1/a0
                invoke q2/s0/t2/a0
                invoke q2/s0/t3/a0
                invoke q2/s0/t4/a0
                invoke q2/s0/t5/a0
            wait 2s
            report s0/t6/a0
                invoke s0/t7/a1
        "#]],
    );
}

#[test]
fn a_copys_failure_is_not_held_against_its_task() {
    check(
        "settings transient=1
         submit q 8>1
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         wait 2s
         fail s0/t6/a1 transient
         wait 30s
         report s0/t6/a0
         report s0/t7/a0",
        expect![[r#"
            settings transient=1
            submit q 8>1
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            wait 2s
                2.801 s: invoke s0/t6/a1
            fail s0/t6/a1 transient
            wait 30s
            report s0/t6/a0
            report s0/t7/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16, s0/t1/a0+16, s0/t2/a0+16, s0/t3/a0+16, s0/t4/a0+16, s0/t5/a0+16, s0/t6/a0+16, s0/t7/a0+16
        "#]],
    );
}

#[test]
fn a_copy_whose_first_attempt_fails_takes_its_place() {
    check(
        "settings copies_mb_ms=4000000
         submit q 8
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         wait 2s
         fail s0/t6/a0 transient
         wait 10s
         fail s0/t6/a1 lost
         report s0/t6/a2
         report s0/t7/a0",
        expect![[r#"
            settings copies_mb_ms=4000000
            submit q 8
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            wait 2s
                2.801 s: invoke s0/t6/a1
            fail s0/t6/a0 transient
            wait 10s
            fail s0/t6/a1 lost
                invoke s0/t6/a2
            report s0/t6/a2
            report s0/t7/a0
                finish q with s0/t0/a0, s0/t1/a0, s0/t2/a0, s0/t3/a0, s0/t4/a0, s0/t5/a0, s0/t6/a2, s0/t7/a0; s0 10× 820 ms
        "#]],
    );
}

#[test]
fn copies_that_cost_too_much_are_not_launched() {
    check(
        "settings copies_mb_ms=1000
         submit q 8
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         wait 20s",
        expect![[r#"
            settings copies_mb_ms=1000
            submit q 8
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            wait 20s
        "#]],
    );
}

#[test]
fn without_speculation_there_is_no_copy() {
    check(
        "settings copies=none
         submit q 8
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         wait 20s",
        expect![[r#"
            settings copies=none
            submit q 8
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            wait 20s
        "#]],
    );
}

#[test]
fn a_copy_of_lost_inputs_is_stale_with_its_first_attempt() {
    check(
        "submit q 1>8
         report s0/t0/a0
         wait 1s
         report s1/t0/a0
         report s1/t1/a0
         report s1/t2/a0
         report s1/t3/a0
         report s1/t4/a0
         report s1/t5/a0
         wait 2s
         fail s1/t7/a0 input s0/t0
         report s1/t6/a1
         report s0/t0/a1 content=2",
        expect![[r#"
            submit q 1>8
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..0] s0/t0 empty
                invoke s1/t1/a0 [0..1] s0/t0/a0+16
                invoke s1/t2/a0 [1..1] s0/t0 empty
                invoke s1/t3/a0 [1..2] s0/t0/a0+26
                invoke s1/t4/a0 [2..2] s0/t0 empty
                invoke s1/t5/a0 [2..3] s0/t0/a0+36
                invoke s1/t6/a0 [3..3] s0/t0 empty
                invoke s1/t7/a0 [3..4] s0/t0/a0+46
            wait 1s
            report s1/t0/a0
            report s1/t1/a0
            report s1/t2/a0
            report s1/t3/a0
            report s1/t4/a0
            report s1/t5/a0
            wait 2s
                2.801 s: invoke s1/t6/a1 [3..3] s0/t0 empty
            fail s1/t7/a0 input s0/t0
                invoke s0/t0/a1
            report s1/t6/a1
            report s0/t0/a1 content=2
                invoke s1/t0/a1 [0..0] s0/t0 empty
                invoke s1/t1/a1 [0..1] s0/t0/a1+16
                invoke s1/t2/a1 [1..1] s0/t0 empty
                invoke s1/t3/a1 [1..2] s0/t0/a1+26
                invoke s1/t4/a1 [2..2] s0/t0 empty
                invoke s1/t5/a1 [2..3] s0/t0/a1+36
                invoke s1/t7/a1 [3..4] s0/t0/a1+46
        "#]],
    );
}
