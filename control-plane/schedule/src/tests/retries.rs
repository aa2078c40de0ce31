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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
         wait 1s
         report s0/t0/a5",
        expect![[r#""#]],
    );
}

#[test]
fn a_lost_environment_is_replaced_at_once_eight_times() {
    check(
        "submit q 1
         fail s0/t0/a0 lost
         fail s0/t0/a1 lost
         fail s0/t0/a2 lost
         fail s0/t0/a3 lost
         fail s0/t0/a4 lost
         fail s0/t0/a5 lost
         fail s0/t0/a6 lost
         fail s0/t0/a7 lost
         fail s0/t0/a8 lost",
        expect![[r#""#]],
    );
}

#[test]
fn memory_climbs_the_sizes_and_ends_with_what_to_change() {
    check(
        "submit q 1 memory=1000
         fail s0/t0/a0 memory
         fail s0/t0/a1 memory
         fail s0/t0/a2 memory
         fail s0/t0/a3 memory",
        expect![[r#""#]],
    );
}

#[test]
fn a_timeout_gets_one_larger_function() {
    check(
        "submit q 1
         fail s0/t0/a0 timeout
         fail s0/t0/a1 timeout",
        expect![[r#""#]],
    );
}

#[test]
fn the_third_crash_is_poison_and_names_the_file() {
    check(
        "submit q 1
         fail s0/t0/a0 broken
         fail s0/t0/a1 broken
         fail s0/t0/a2 broken",
        expect![[r#""#]],
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
        expect![[r#""#]],
    );
}
