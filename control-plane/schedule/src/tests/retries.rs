//! Retry rules, one class after another.

use super::check;
use expect_test::expect;

#[test]
fn a_users_error_fails_the_query_at_once() {
    check(
        "submit q 3>1
         fail s0/t1/a0 user
         report s0/t0/a0
         fail s0/t2/a0 transient",
        expect![[r#"
            submit q 3>1
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
            fail s0/t1/a0 user
                finish q DIVISION_BY_ZERO: division by zero; s0 1× 10 ms
            report s0/t0/a0
                late s0/t0/a0: 100 ms, its object is garbage
            fail s0/t2/a0 transient
                late s0/t2/a0: 10 ms
        "#]],
    );
}

#[test]
fn a_transient_failure_is_tried_four_times_with_jitter() {
    check(
        "submit q 1
         fail s0/t0/a0 transient
         wait 1s
         fail s0/t0/a1 transient
         wait 1s
         fail s0/t0/a2 transient
         wait 1s
         fail s0/t0/a3 transient",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            fail s0/t0/a0 transient
            wait 1s
                0.015 s: invoke s0/t0/a1
            fail s0/t0/a1 transient
            wait 1s
                1.007 s: invoke s0/t0/a2
            fail s0/t0/a2 transient
            wait 1s
                2.303 s: invoke s0/t0/a3
            fail s0/t0/a3 transient
                finish q REMOTE_TASK_ERROR: q/s0/t0/a3 failed, as its task now has 4 times: as the script says; s0 4× 40 ms
        "#]],
    );
}

#[test]
fn the_query_has_a_budget_of_transient_failures() {
    check(
        "settings retries=2
         submit q 3
         fail s0/t0/a0 transient
         fail s0/t1/a0 transient
         fail s0/t2/a0 transient",
        expect![[r#"
            settings retries=2
            submit q 3
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
            fail s0/t0/a0 transient
            fail s0/t1/a0 transient
            fail s0/t2/a0 transient
                finish q REMOTE_TASK_ERROR: q/s0/t2/a0 failed, one more than the 2 transient failures that a query of this size may have: as the script says; s0 3× 30 ms
        "#]],
    );
}

#[test]
fn throttling_is_not_counted_and_waits_as_long_as_it_is_told() {
    check(
        "submit q 1
         fail s0/t0/a0 throttled 500ms
         wait 1s
         fail s0/t0/a1 throttled
         wait 1s
         fail s0/t0/a2 throttled
         wait 1s
         fail s0/t0/a3 throttled
         wait 1s
         fail s0/t0/a4 throttled
         wait 2s
         report s0/t0/a5",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            fail s0/t0/a0 throttled 500ms
            wait 1s
                0.500 s: invoke s0/t0/a1
            fail s0/t0/a1 throttled
            wait 1s
                1.007 s: invoke s0/t0/a2
            fail s0/t0/a2 throttled
            wait 1s
                2.303 s: invoke s0/t0/a3
            fail s0/t0/a3 throttled
            wait 1s
                3.398 s: invoke s0/t0/a4
            fail s0/t0/a4 throttled
            wait 2s
                5.531 s: invoke s0/t0/a5
            report s0/t0/a5
                finish q with s0/t0/a5; s0 6× 150 ms
        "#]],
    );
}

#[test]
fn a_lost_environment_is_replaced_at_once_and_then_after_pauses_eight_times() {
    check(
        "submit q 1
         fail s0/t0/a0 lost
         fail s0/t0/a1 lost
         wait 5s
         fail s0/t0/a2 lost
         wait 5s
         fail s0/t0/a3 lost
         wait 5s
         fail s0/t0/a4 lost
         wait 5s
         fail s0/t0/a5 lost
         wait 5s
         fail s0/t0/a6 lost
         wait 5s
         fail s0/t0/a7 lost
         wait 5s
         fail s0/t0/a8 lost",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            fail s0/t0/a0 lost
                invoke s0/t0/a1
            fail s0/t0/a1 lost
            wait 5s
                0.015 s: invoke s0/t0/a2
            fail s0/t0/a2 lost
            wait 5s
                5.007 s: invoke s0/t0/a3
            fail s0/t0/a3 lost
            wait 5s
                10.303 s: invoke s0/t0/a4
            fail s0/t0/a4 lost
            wait 5s
                15.398 s: invoke s0/t0/a5
            fail s0/t0/a5 lost
            wait 5s
                21.531 s: invoke s0/t0/a6
            fail s0/t0/a6 lost
            wait 5s
                26.343 s: invoke s0/t0/a7
            fail s0/t0/a7 lost
            wait 5s
                32.874 s: invoke s0/t0/a8
            fail s0/t0/a8 lost
                finish q MAYFLY_TASK_POISONED: q/s0/t0/a8 lost its environment reading s3://lake/t/0.parquet, as its task now has 9 times: as the script says; s0 9× 90 ms
        "#]],
    );
}

#[test]
fn memory_climbs_the_sizes_and_ends_with_what_to_change() {
    check(
        "submit q 1
         fail s0/t0/a0 memory
         fail s0/t0/a1 memory
         fail s0/t0/a2 memory",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            fail s0/t0/a0 memory
                invoke s0/t0/a1 3538 MB 240 s
            fail s0/t0/a1 memory
                invoke s0/t0/a2 10240 MB 600 s
            fail s0/t0/a2 memory
                finish q EXCEEDED_LOCAL_MEMORY_LIMIT: q/s0/t0/a2 needs more memory than the largest function has (10240 MB): as the script says; lower the session property target_task_bytes so that each task holds less; s0 3× 30 ms
        "#]],
    );
}

#[test]
fn a_cap_on_memory_is_no_reason_for_a_larger_function() {
    check(
        "submit q 1 memory=3000000
         fail s0/t0/a0 memory
         fail s0/t0/a1 memory",
        expect![[r#"
            submit q 1 memory=3000000
                invoke s0/t0/a0
            fail s0/t0/a0 memory
                invoke s0/t0/a1 240 s
            fail s0/t0/a1 memory
                finish q EXCEEDED_LOCAL_MEMORY_LIMIT: q/s0/t0/a1 needs more memory than max_task_memory allows (3 MB): as the script says; raise the session property max_task_memory, or lower target_task_bytes so that each task holds less; s0 2× 20 ms
        "#]],
    );
}

#[test]
fn a_cap_that_the_first_function_has_no_room_for_is_reached_by_growing() {
    check(
        "submit q 1 memory=1500000000
         fail s0/t0/a0 memory
         fail s0/t0/a1 memory",
        expect![[r#"
            submit q 1 memory=1500000000
                invoke s0/t0/a0
            fail s0/t0/a0 memory
                invoke s0/t0/a1 3538 MB 240 s
            fail s0/t0/a1 memory
                finish q EXCEEDED_LOCAL_MEMORY_LIMIT: q/s0/t0/a1 needs more memory than max_task_memory allows (1500 MB): as the script says; raise the session property max_task_memory, or lower target_task_bytes so that each task holds less; s0 2× 20 ms
        "#]],
    );
}

#[test]
fn a_timeout_gets_one_larger_function() {
    check(
        "submit q 1
         fail s0/t0/a0 timeout
         fail s0/t0/a1 timeout",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            fail s0/t0/a0 timeout
                invoke s0/t0/a1 3538 MB 240 s
            fail s0/t0/a1 timeout
                finish q EXCEEDED_TIME_LIMIT: q/s0/t0/a1 ran out of the 240 s that it had: as the script says; lower the session property target_task_bytes so that each task does less; s0 2× 20 ms
        "#]],
    );
}

#[test]
fn what_ran_short_of_memory_or_time_has_four_times_as_long_up_to_the_platforms_bound() {
    check(
        "submit q 1 deadline=3000s
         fail s0/t0/a0 memory
         fail s0/t0/a1 transient
         wait 1s
         fail s0/t0/a2 timeout
         fail s0/t0/a3 memory
         fail s0/t0/a4 lost
         fail s0/t0/a5 timeout",
        expect![[r#"
            submit q 1 deadline=3000s
                invoke s0/t0/a0
            fail s0/t0/a0 memory
                invoke s0/t0/a1 3538 MB 240 s
            fail s0/t0/a1 transient
            wait 1s
                0.015 s: invoke s0/t0/a2 3538 MB 240 s
            fail s0/t0/a2 timeout
                invoke s0/t0/a3 7076 MB 900 s
            fail s0/t0/a3 memory
                invoke s0/t0/a4 10240 MB 900 s
            fail s0/t0/a4 lost
                invoke s0/t0/a5 10240 MB 900 s
            fail s0/t0/a5 timeout
                finish q EXCEEDED_TIME_LIMIT: q/s0/t0/a5 ran out of the 900 s that it had: as the script says; lower the session property target_task_bytes so that each task does less; s0 6× 60 ms
        "#]],
    );
}

#[test]
fn more_time_is_cut_to_what_the_query_has_left() {
    check(
        "submit q 1 deadline=120s
         wait 30s
         fail s0/t0/a0 timeout
         wait 20s
         fail s0/t0/a1 memory",
        expect![[r#"
            submit q 1 deadline=120s
                invoke s0/t0/a0
            wait 30s
            fail s0/t0/a0 timeout
                invoke s0/t0/a1 3538 MB 90 s
            wait 20s
            fail s0/t0/a1 memory
                invoke s0/t0/a2 7076 MB 70 s
        "#]],
    );
}

#[test]
fn a_timeout_at_the_largest_size_is_tried_again_with_more_time() {
    check(
        "submit q 1 size=six
         fail s0/t0/a0 timeout
         fail s0/t0/a1 timeout",
        expect![[r#"
            submit q 1 size=six
                invoke s0/t0/a0 10240 MB
            fail s0/t0/a0 timeout
                invoke s0/t0/a1 10240 MB 240 s
            fail s0/t0/a1 timeout
                finish q EXCEEDED_TIME_LIMIT: q/s0/t0/a1 ran out of the 240 s that it had: as the script says; lower the session property target_task_bytes so that each task does less; s0 2× 20 ms
        "#]],
    );
}

#[test]
fn a_timeout_at_the_largest_size_fails_where_there_is_no_more_time() {
    check(
        "settings task=900s
         submit q 1 size=six deadline=3000s
         fail s0/t0/a0 timeout
         submit q2 1 size=six deadline=800s
         wait 300s
         fail q2/s0/t0/a0 timeout",
        expect![[r#"
            settings task=900s
            submit q 1 size=six deadline=3000s
                invoke s0/t0/a0 10240 MB
            fail s0/t0/a0 timeout
                finish q EXCEEDED_TIME_LIMIT: q/s0/t0/a0 ran out of the 900 s that it had: as the script says; lower the session property target_task_bytes so that each task does less; s0 1× 10 ms
            submit q2 1 size=six deadline=800s
                invoke q2/s0/t0/a0 10240 MB
            wait 300s
            fail q2/s0/t0/a0 timeout
                finish q2 EXCEEDED_TIME_LIMIT: q2/s0/t0/a0 ran out of the 800 s that it had: as the script says; raise the session property max_run_time, or lower target_task_bytes so that each task does less; s0 1× 10 ms
        "#]],
    );
}

#[test]
fn copies_of_an_attempt_with_more_time_have_it_too() {
    check(
        "submit q 8
         fail s0/t7/a0 timeout
         wait 1s
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s0/t4/a0
         report s0/t5/a0
         report s0/t6/a0
         wait 3s",
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
            fail s0/t7/a0 timeout
                invoke s0/t7/a1 3538 MB 240 s
            wait 1s
            report s0/t0/a0
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0
            report s0/t4/a0
            report s0/t5/a0
            report s0/t6/a0
            wait 3s
                1.401 s: invoke s0/t7/a2 3538 MB 240 s
        "#]],
    );
}

#[test]
fn the_third_crash_is_poison_and_names_the_file() {
    check(
        "submit q 1
         fail s0/t0/a0 broken
         fail s0/t0/a1 broken
         fail s0/t0/a2 broken",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            fail s0/t0/a0 broken
                invoke s0/t0/a1
            fail s0/t0/a1 broken
                invoke s0/t0/a2
            fail s0/t0/a2 broken
                finish q MAYFLY_TASK_POISONED: q/s0/t0/a2 crashed reading s3://lake/t/0.parquet, as its task now has 3 times: as the script says; s0 3× 30 ms
        "#]],
    );
}

#[test]
fn a_report_that_is_no_answer_to_its_spec_counts_as_a_crash() {
    check(
        "submit q 1>1
         report s0/t0/a0 partitions=9
         report s0/t0/a1 pinned=wrong
         report s0/t0/a2
         report s1/t0/a0",
        expect![[r#"
            submit q 1>1
                invoke s0/t0/a0
            report s0/t0/a0 partitions=9
                invoke s0/t0/a1
            report s0/t0/a1 pinned=wrong
                invoke s0/t0/a2
            report s0/t0/a2
                invoke s1/t0/a0 [0..4] s0/t0/a2+16
            report s1/t0/a0
                finish q with s1/t0/a0; s0 3× 300 ms, s1 1× 100 ms
        "#]],
    );
}

#[test]
fn a_platform_that_is_not_reached_is_tried_again_after_growing_pauses_and_costs_nothing_of_any_budget() {
    check(
        "settings transient=1 retries=0
         submit q 1
         fail s0/t0/a0 unreachable
         wait 100ms
         fail s0/t0/a1 unreachable
         wait 200ms
         fail s0/t0/a2 unreachable
         wait 400ms
         fail s0/t0/a3 unreachable
         wait 800ms
         fail s0/t0/a4 unreachable
         wait 1600ms
         fail s0/t0/a5 unreachable
         wait 3200ms
         fail s0/t0/a6 unreachable
         wait 5s
         fail s0/t0/a7 unreachable
         wait 5s
         fail s0/t0/a8 unreachable
         wait 5s
         report s0/t0/a9",
        expect![[r#"
            settings transient=1 retries=0
            submit q 1
                invoke s0/t0/a0
            fail s0/t0/a0 unreachable
            wait 100ms
                0.015 s: invoke s0/t0/a1
            fail s0/t0/a1 unreachable
            wait 200ms
                0.107 s: invoke s0/t0/a2
            fail s0/t0/a2 unreachable
            wait 400ms
                0.603 s: invoke s0/t0/a3
            fail s0/t0/a3 unreachable
            wait 800ms
                1.098 s: invoke s0/t0/a4
            fail s0/t0/a4 unreachable
            wait 1600ms
                3.031 s: invoke s0/t0/a5
            fail s0/t0/a5 unreachable
            wait 3200ms
                4.443 s: invoke s0/t0/a6
            fail s0/t0/a6 unreachable
            wait 5s
                9.174 s: invoke s0/t0/a7
            fail s0/t0/a7 unreachable
            wait 5s
                13.568 s: invoke s0/t0/a8
            fail s0/t0/a8 unreachable
            wait 5s
                19.405 s: invoke s0/t0/a9
            report s0/t0/a9
                finish q with s0/t0/a9; s0 10× 190 ms
        "#]],
    );
}

#[test]
fn a_platform_that_is_never_reached_ends_the_query_after_a_minute() {
    check(
        "submit q 1
         fail s0/t0/a0 unreachable
         wait 70s",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            fail s0/t0/a0 unreachable
            wait 70s
                0.015 s: invoke s0/t0/a1
                60.000 s: finish q NO_NODES_AVAILABLE: no executor has answered for 60 s; the last failure was unreachable; check that the executor function exists, may be invoked and has concurrency left; s0 1× 10 ms
        "#]],
    );
}

#[test]
fn a_platform_that_is_not_reached_narrows_nothing() {
    check(
        "settings concurrency=2
         submit q 3
         fail s0/t0/a0 unreachable
         wait 100ms
         report s0/t1/a0
         report s0/t2/a0
         report s0/t0/a1",
        expect![[r#"
            settings concurrency=2
            submit q 3
                invoke s0/t0/a0
                invoke s0/t1/a0
            fail s0/t0/a0 unreachable
                invoke s0/t2/a0
            wait 100ms
            report s0/t1/a0
                invoke s0/t0/a1
            report s0/t2/a0
            report s0/t0/a1
                finish q with s0/t0/a1, s0/t1/a0, s0/t2/a0; s0 4× 310 ms
        "#]],
    );
}
