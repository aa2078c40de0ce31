//! Short turns: where all slots are taken for long, what is quick still ends soon.

use super::check;
use expect_test::expect;

#[test]
fn a_small_query_runs_beside_slots_that_are_taken() {
    check(
        "settings concurrency=2 short=1
         submit q1 1
         submit q2 1
         submit q3 2>1
         report q3/s0/t0/a0
         report q3/s0/t1/a0
         report q3/s1/t0/a0",
        expect![[]],
    );
}

#[test]
fn who_runs_out_of_a_short_turn_waits_for_a_slot_and_others_get_it() {
    check(
        "settings concurrency=1 short=1
         submit q1 1
         submit q2 1
         submit q3 1
         fail q2/s0/t0/a0 timeout
         report q3/s0/t0/a0
         report q1/s0/t0/a0
         fail q2/s0/t0/a1 timeout
         report q2/s0/t0/a2",
        expect![[]],
    );
}

#[test]
fn a_query_with_a_task_in_flight_has_no_short_turn() {
    check(
        "settings concurrency=2 short=1
         submit q1 3
         submit q2 1
         report q1/s0/t0/a0
         report q2/s0/t0/a0",
        expect![[]],
    );
}

#[test]
fn what_ran_short_of_memory_waits_for_a_slot() {
    check(
        "settings concurrency=1 short=1
         submit q1 1
         submit q2 1
         fail q2/s0/t0/a0 memory
         submit q3 1
         report q3/s0/t0/a0
         report q1/s0/t0/a0",
        expect![[]],
    );
}

#[test]
fn a_query_that_ends_within_its_short_turn_times_out_as_others_do() {
    check(
        "settings concurrency=1 short=1
         submit q1 1
         submit q2 1 deadline=5s
         fail q2/s0/t0/a0 timeout
         wait 5s",
        expect![[]],
    );
}

#[test]
fn a_short_turn_that_fails_otherwise_is_counted_as_ever() {
    check(
        "settings concurrency=1 short=1 transient=2
         submit q1 1
         submit q2 1
         fail q2/s0/t0/a0 lost
         fail q2/s0/t0/a1 transient
         wait 1s
         fail q2/s0/t0/a2 transient",
        expect![[]],
    );
}

#[test]
fn an_attempt_in_a_short_turn_holds_it_beyond_its_querys_end() {
    check(
        "settings concurrency=1 short=1
         submit q1 1
         submit q2 1
         cancel q2
         submit q3 1
         fail q2/s0/t0/a0 user
         report q3/s0/t0/a0",
        expect![[]],
    );
}
