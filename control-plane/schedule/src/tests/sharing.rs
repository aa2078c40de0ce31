//! Slots: bounded, taken in turn, fewer after throttling.

use super::check;
use expect_test::expect;

#[test]
fn slots_are_bounded_and_refilled() {
    check(
        "settings concurrency=2
         submit q 4
         report s0/t1/a0
         progress q
         report s0/t0/a0
         report s0/t3/a0
         report s0/t2/a0",
        expect![[r#"
            settings concurrency=2
            submit q 4
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t1/a0
                invoke s0/t2/a0
            progress q
                s0: 0 planned, 1 queued, 2 running, 1 done, 0 failed; 1 rows out
            report s0/t0/a0
                invoke s0/t3/a0
            report s0/t3/a0
            report s0/t2/a0
                finish q with s0/t0/a0, s0/t1/a0, s0/t2/a0, s0/t3/a0; s0 4× 400 ms
        "#]],
    );
}

#[test]
fn queries_take_turns() {
    check(
        "settings concurrency=2
         submit q1 4
         submit q2 2
         report q1/s0/t0/a0
         report q1/s0/t1/a0
         report q2/s0/t0/a0
         report q1/s0/t2/a0
         report q2/s0/t1/a0
         report q1/s0/t3/a0",
        expect![[r#"
            settings concurrency=2
            submit q1 4
                invoke q1/s0/t0/a0
                invoke q1/s0/t1/a0
            submit q2 2
            report q1/s0/t0/a0
                invoke q1/s0/t2/a0
            report q1/s0/t1/a0
                invoke q2/s0/t0/a0
            report q2/s0/t0/a0
                invoke q1/s0/t3/a0
            report q1/s0/t2/a0
                invoke q2/s0/t1/a0
            report q2/s0/t1/a0
                finish q2 with s0/t0/a0, s0/t1/a0; s0 2× 200 ms
            report q1/s0/t3/a0
                finish q1 with s0/t0/a0, s0/t1/a0, s0/t2/a0, s0/t3/a0; s0 4× 400 ms
        "#]],
    );
}

#[test]
fn throttling_halves_the_width_once_a_round_and_answers_widen_it() {
    check(
        "settings concurrency=4
         submit q 12
         fail s0/t0/a0 throttled 10s
         fail s0/t1/a0 throttled 10s
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         report s0/t6/a0",
        expect![[r#"
            settings concurrency=4
            submit q 12
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
            fail s0/t0/a0 throttled 10s
            fail s0/t1/a0 throttled 10s
            report s0/t2/a0
                invoke s0/t4/a0
            report s0/t3/a0
                invoke s0/t5/a0
            report s0/t4/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            report s0/t5/a0
                invoke s0/t8/a0
            report s0/t6/a0
                invoke s0/t9/a0
        "#]],
    );
}

#[test]
fn an_attempt_of_an_ended_query_keeps_its_slot_until_it_lands() {
    check(
        "settings concurrency=1
         submit q1 1
         submit q2 1
         cancel q1
         report q1/s0/t0/a0
         report q2/s0/t0/a0",
        expect![[r#"
            settings concurrency=1
            submit q1 1
                invoke q1/s0/t0/a0
            submit q2 1
            cancel q1
                finish q1 canceled; nothing used
            report q1/s0/t0/a0
                late q1/s0/t0/a0: 100 ms, its object is garbage
                invoke q2/s0/t0/a0
            report q2/s0/t0/a0
                finish q2 with s0/t0/a0; s0 1× 100 ms
        "#]],
    );
}
