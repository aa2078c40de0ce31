//! How queries end: cancel, deadline, a dead fleet, and what comes after.

use super::check;
use expect_test::expect;

#[test]
fn a_cancel_ends_at_once_and_what_was_in_flight_is_late() {
    check(
        "submit q 2>1
         report s0/t0/a0
         cancel q
         cancel q
         report s0/t1/a0
         report s0/t1/a0",
        expect![[r#"
            submit q 2>1
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            cancel q
                finish q canceled; s0 1× 100 ms
            cancel q
            report s0/t1/a0
                late s0/t1/a0: 100 ms, its object is garbage
            report s0/t1/a0
                late s0/t1/a0: 100 ms
        "#]],
    );
}

#[test]
fn a_result_of_too_many_rows_ends_the_query_before_it_is_complete() {
    check(
        "submit q 1>3 rows=2
         report s0/t0/a0
         report s1/t0/a0
         report s1/t1/a0
         report s1/t2/a0",
        expect![[r#"
            submit q 1>3 rows=2
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..1] s0/t0/a0+16
                invoke s1/t1/a0 [1..2] s0/t0/a0+26
                invoke s1/t2/a0 [2..4] s0/t0/a0+36
            report s1/t0/a0
            report s1/t1/a0
            report s1/t2/a0
                finish q MAYFLY_EXCEEDED_ROW_LIMIT: the result has more than 2 rows; add a LIMIT, or raise the session property max_result_rows; s0 1× 100 ms, s1 3× 300 ms
        "#]],
    );
    check(
        "submit q 1>2 rows=2
         report s0/t0/a0
         report s1/t0/a0
         report s1/t1/a0",
        expect![[r#"
            submit q 1>2 rows=2
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36
            report s1/t0/a0
            report s1/t1/a0
                finish q with s1/t0/a0, s1/t1/a0; s0 1× 100 ms, s1 2× 200 ms
        "#]],
    );
}

#[test]
fn the_deadline_ends_the_query_and_the_silent_attempt_is_billed_later() {
    check(
        "submit q 1 deadline=10s
         wait 30s",
        expect![[r#"
            submit q 1 deadline=10s
                invoke s0/t0/a0
            wait 30s
                10.000 s: finish q EXCEEDED_TIME_LIMIT: the query exceeded its time limit with 1 of 1 stages unfinished; nothing used
                20.000 s: late s0/t0/a0: 20000 ms
        "#]],
    );
}

#[test]
fn nothing_is_launched_when_too_little_time_is_left() {
    check(
        "submit q 1>1 deadline=10s
         wait 9500ms
         report s0/t0/a0",
        expect![[r#"
            submit q 1>1 deadline=10s
                invoke s0/t0/a0
            wait 9500ms
            report s0/t0/a0
                finish q EXCEEDED_TIME_LIMIT: the query exceeded its time limit with 1 of 2 stages unfinished; s0 1× 100 ms
        "#]],
    );
}

#[test]
fn a_query_over_its_deadline_is_refused() {
    check(
        "submit q 1 deadline=0s",
        expect![[r#"
        submit q 1 deadline=0s
            finish q EXCEEDED_TIME_LIMIT: the query exceeded its time limit with 1 of 1 stages unfinished; nothing used
    "#]],
    );
}

#[test]
fn a_fleet_that_only_fails_for_a_minute_is_dead() {
    check(
        "submit q 2
         fail s0/t0/a0 throttled 30s
         fail s0/t1/a0 throttled 40s
         wait 30s
         fail s0/t0/a1 throttled 60s
         wait 10s
         fail s0/t1/a1 throttled 60s
         wait 30s",
        expect![[r#"
            submit q 2
                invoke s0/t0/a0
                invoke s0/t1/a0
            fail s0/t0/a0 throttled 30s
            fail s0/t1/a0 throttled 40s
            wait 30s
                30.000 s: invoke s0/t0/a1
            fail s0/t0/a1 throttled 60s
            wait 10s
                40.000 s: invoke s0/t1/a1
            fail s0/t1/a1 throttled 60s
            wait 30s
                60.000 s: finish q NO_NODES_AVAILABLE: no executor has answered for 60 s; the last failure was throttled; check that the executor function exists, may be invoked and has concurrency left; s0 4× 40 ms
        "#]],
    );
}

#[test]
fn an_attempt_from_before_the_failures_keeps_hope_alive() {
    check(
        "submit q 2
         wait 1s
         fail s0/t0/a0 throttled 70s
         wait 65s
         report s0/t1/a0
         wait 10s
         report s0/t0/a1",
        expect![[r#"
            submit q 2
                invoke s0/t0/a0
                invoke s0/t1/a0
            wait 1s
            fail s0/t0/a0 throttled 70s
            wait 65s
            report s0/t1/a0
            wait 10s
                71.000 s: invoke s0/t0/a1
            report s0/t0/a1
                finish q with s0/t0/a1, s0/t1/a0; s0 3× 210 ms
        "#]],
    );
}

#[test]
fn a_duplicate_of_the_answer_after_the_end_is_billed_and_not_deleted() {
    check(
        "settings task=5s
         submit q 1
         wait 16s
         report s0/t0/a0 nonce=3
         report s0/t0/a0 nonce=3
         report s0/t0/a1 nonce=4
         report s0/t0/a1 nonce=4",
        expect![[r#"
            settings task=5s
            submit q 1
                invoke s0/t0/a0
            wait 16s
                15.000 s: invoke s0/t0/a1
            report s0/t0/a0 nonce=3
                finish q with s0/t0/a0#3; s0 1× 100 ms
            report s0/t0/a0 nonce=3
                late s0/t0/a0: 100 ms
            report s0/t0/a1 nonce=4
                late s0/t0/a1: 100 ms, its object is garbage
            report s0/t0/a1 nonce=4
                late s0/t0/a1: 100 ms
        "#]],
    );
}
