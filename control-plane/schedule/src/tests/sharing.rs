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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
    );
}
