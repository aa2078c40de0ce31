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
        expect![[r#"
            settings concurrency=2 short=1
            submit q1 1
                invoke q1/s0/t0/a0
            submit q2 1
                invoke q2/s0/t0/a0
            submit q3 2>1
                invoke q3/s0/t0/a0 10 s
            report q3/s0/t0/a0
                invoke q3/s0/t1/a0 10 s
            report q3/s0/t1/a0
                invoke q3/s1/t0/a0 10 s [0..4] s0/t0/a0+16, s0/t1/a0+16
            report q3/s1/t0/a0
                finish q3 with s1/t0/a0; s0 2× 200 ms, s1 1× 100 ms
        "#]],
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
        expect![[r#"
            settings concurrency=1 short=1
            submit q1 1
                invoke q1/s0/t0/a0
            submit q2 1
                invoke q2/s0/t0/a0 10 s
            submit q3 1
            fail q2/s0/t0/a0 timeout
                invoke q3/s0/t0/a0 10 s
            report q3/s0/t0/a0
                finish q3 with s0/t0/a0; s0 1× 100 ms
            report q1/s0/t0/a0
                finish q1 with s0/t0/a0; s0 1× 100 ms
                invoke q2/s0/t0/a1
            fail q2/s0/t0/a1 timeout
                invoke q2/s0/t0/a2 3538 MB 240 s
            report q2/s0/t0/a2
                finish q2 with s0/t0/a2; s0 3× 120 ms
        "#]],
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
        expect![[r#"
            settings concurrency=2 short=1
            submit q1 3
                invoke q1/s0/t0/a0
                invoke q1/s0/t1/a0
            submit q2 1
                invoke q2/s0/t0/a0 10 s
            report q1/s0/t0/a0
                invoke q1/s0/t2/a0
            report q2/s0/t0/a0
                finish q2 with s0/t0/a0; s0 1× 100 ms
        "#]],
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
        expect![[r#"
            settings concurrency=1 short=1
            submit q1 1
                invoke q1/s0/t0/a0
            submit q2 1
                invoke q2/s0/t0/a0 10 s
            fail q2/s0/t0/a0 memory
            submit q3 1
                invoke q3/s0/t0/a0 10 s
            report q3/s0/t0/a0
                finish q3 with s0/t0/a0; s0 1× 100 ms
            report q1/s0/t0/a0
                finish q1 with s0/t0/a0; s0 1× 100 ms
                invoke q2/s0/t0/a1 3538 MB 240 s
        "#]],
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
        expect![[r#"
            settings concurrency=1 short=1
            submit q1 1
                invoke q1/s0/t0/a0
            submit q2 1 deadline=5s
                invoke q2/s0/t0/a0
            fail q2/s0/t0/a0 timeout
            wait 5s
                5.000 s: finish q2 EXCEEDED_TIME_LIMIT: the query exceeded its time limit with 1 of 1 stages unfinished; s0 1× 10 ms
        "#]],
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
        expect![[r#"
            settings concurrency=1 short=1 transient=2
            submit q1 1
                invoke q1/s0/t0/a0
            submit q2 1
                invoke q2/s0/t0/a0 10 s
            fail q2/s0/t0/a0 lost
                invoke q2/s0/t0/a1 10 s
            fail q2/s0/t0/a1 transient
            wait 1s
                0.015 s: invoke q2/s0/t0/a2 10 s
            fail q2/s0/t0/a2 transient
                finish q2 REMOTE_TASK_ERROR: q2/s0/t0/a2 failed, as its task now has 2 times: as the script says; s0 3× 30 ms
        "#]],
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
        expect![[r#"
            settings concurrency=1 short=1
            submit q1 1
                invoke q1/s0/t0/a0
            submit q2 1
                invoke q2/s0/t0/a0 10 s
            cancel q2
                finish q2 canceled; nothing used
            submit q3 1
            fail q2/s0/t0/a0 user
                late q2/s0/t0/a0: 10 ms
                invoke q3/s0/t0/a0 10 s
            report q3/s0/t0/a0
                finish q3 with s0/t0/a0; s0 1× 100 ms
        "#]],
    );
}
