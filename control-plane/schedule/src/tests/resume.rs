//! A query that goes on under another coordinator, from its journal and from the objects that were left.

use super::check;
use expect_test::expect;

#[test]
fn what_the_journal_holds_does_not_run_again() {
    check(
        "settings wins=2
         submit q 2>1
         report s0/t0/a0
         report s0/t1/a0 inline
         crash
         resume q epoch=2
         report s1/t0/a0e2",
        expect![[r#"
            settings wins=2
            submit q 2>1
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0 inline
                journal s0/t0/a0, s0/t1/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16, s0/t1 inline 40
            crash
            resume q epoch=2
                invoke s1/t0/a0e2 [0..4] s0/t0/a0+16, s0/t1 inline 40
            report s1/t0/a0e2
                finish q with s1/t0/a0; s0 0× 0 ms, s1 1× 100 ms
        "#]],
    );
}

/// Every report bills 100 ms.
#[test]
fn work_that_no_object_holds_is_journaled_by_what_it_cost() {
    check(
        "settings risk=200ms
         submit q 5
         report s0/t0/a0 inline
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0 inline
         report s0/t4/a0 inline",
        expect![[r#"
            settings risk=200ms
            submit q 5
                invoke s0/t0/a0
                invoke s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
            report s0/t0/a0 inline
            report s0/t1/a0
            report s0/t2/a0
            report s0/t3/a0 inline
                journal s0/t0/a0, s0/t1/a0, s0/t2/a0, s0/t3/a0
            report s0/t4/a0 inline
                finish q with inline 10, s0/t1/a0, s0/t2/a0, inline 10, inline 10; s0 5× 500 ms
        "#]],
    );
}

#[test]
fn an_object_that_nobody_heard_of_is_found_and_journaled_at_once() {
    check(
        "submit q 2>1
         report s0/t0/a0
         report s0/t1/a0 unheard
         crash
         resume q epoch=2
         report s1/t0/a0e2",
        expect![[r#"
            submit q 2>1
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0 unheard
            crash
            resume q epoch=2
                journal s0/t0/a0, s0/t1/a0
                invoke s1/t0/a0e2 [0..4] s0/t0/a0+16, s0/t1/a0+16
            report s1/t0/a0e2
                finish q with s1/t0/a0; s0 0× 0 ms, s1 1× 100 ms
        "#]],
    );
}

#[test]
fn an_inline_output_that_was_not_journaled_is_made_again() {
    check(
        "submit q 2>1
         report s0/t0/a0 inline
         report s0/t1/a0
         crash
         resume q epoch=2
         report s0/t0/a0e2 inline
         report s1/t0/a0e2",
        expect![[r#"
            submit q 2>1
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0 inline
            report s0/t1/a0
                invoke s1/t0/a0 [0..4] s0/t0 inline 40, s0/t1/a0+16
            crash
            resume q epoch=2
                journal s0/t1/a0
                invoke s0/t0/a0e2
            report s0/t0/a0e2 inline
                invoke s1/t0/a0e2 [0..4] s0/t0 inline 40, s0/t1/a0+16
            report s1/t0/a0e2
                finish q with s1/t0/a0; s0 1× 100 ms, s1 1× 100 ms
        "#]],
    );
}

#[test]
fn a_journaled_winner_whose_object_is_gone_is_none_and_nor_is_what_read_it() {
    check(
        "settings wins=1
         submit q 1>2
         report s0/t0/a0
         report s1/t0/a0
         crash
         resume q epoch=2 gone=s0/t0/a0
         report s0/t0/a0e2
         report s1/t0/a0e2
         report s1/t1/a0e2",
        expect![[r#"
            settings wins=1
            submit q 1>2
                invoke s0/t0/a0
            report s0/t0/a0
                journal s0/t0/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36
            report s1/t0/a0
                journal s1/t0/a0
            crash
            resume q epoch=2 gone=s0/t0/a0
                invoke s0/t0/a0e2
            report s0/t0/a0e2
                journal s0/t0/a0e2
                invoke s1/t0/a0e2 [0..2] s0/t0/a0+16
                invoke s1/t1/a0e2 [2..4] s0/t0/a0+36
            report s1/t0/a0e2
                journal s1/t0/a0e2
            report s1/t1/a0e2
                finish q with s1/t0/a0, s1/t1/a0; s0 1× 100 ms, s1 2× 200 ms
                discard s1/t0/a0
        "#]],
    );
}

#[test]
fn of_two_objects_of_one_task_one_wins_and_the_other_is_deleted_at_the_end() {
    check(
        "submit q 1>1
         report s0/t0/a0 nonce=1 unheard
         report s0/t0/a0 nonce=2 unheard
         crash
         resume q epoch=2
         report s1/t0/a0e2",
        expect![[r#"
            submit q 1>1
                invoke s0/t0/a0
            report s0/t0/a0 nonce=1 unheard
            report s0/t0/a0 nonce=2 unheard
            crash
            resume q epoch=2
                journal s0/t0/a0
                invoke s1/t0/a0e2 [0..4] s0/t0/a0#1+16
            report s1/t0/a0e2
                finish q with s1/t0/a0; s0 0× 0 ms, s1 1× 100 ms
                discard s0/t0/a0#2
        "#]],
    );
}

#[test]
fn a_result_that_is_complete_only_needs_its_final_record() {
    check(
        "submit q 1>1
         report s0/t0/a0
         report s1/t0/a0 unheard
         crash
         resume q epoch=2",
        expect![[r#"
            submit q 1>1
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            report s1/t0/a0 unheard
            crash
            resume q epoch=2
                finish q with s1/t0/a0; s0 0× 0 ms, s1 0× 0 ms
        "#]],
    );
}

#[test]
fn a_loss_is_journaled_and_the_lost_winner_does_not_come_back() {
    check(
        "settings wins=1
         submit q 1>2
         report s0/t0/a0
         fail s1/t0/a0 input s0/t0
         report s0/t0/a1
         crash
         resume q epoch=2",
        expect![[r#"
            settings wins=1
            submit q 1>2
                invoke s0/t0/a0
            report s0/t0/a0
                journal s0/t0/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36
            fail s1/t0/a0 input s0/t0
                invoke s0/t0/a1
            report s0/t0/a1
                journal lost s0/t0, s0/t0/a1
                invoke s1/t0/a1 [0..2] s0/t0/a1+16
                invoke s1/t1/a1 [2..4] s0/t0/a1+36
            crash
            resume q epoch=2
                invoke s1/t0/a0e2 [0..2] s0/t0/a1+16
                invoke s1/t1/a0e2 [2..4] s0/t0/a1+36
        "#]],
    );
}

/// The reader that had won on the lost output has the wrong pins now: what it counts for dies with its coordinator.
#[test]
fn a_winner_that_was_kept_across_a_loss_is_not_journaled() {
    check(
        "settings wins=2
         submit q 1>2>1
         report s0/t0/a0 inline
         report s1/t1/a0
         fail s1/t0/a0 lost
         crash
         resume q epoch=2",
        expect![[r#"
            settings wins=2
            submit q 1>2>1
                invoke s0/t0/a0
            report s0/t0/a0 inline
                invoke s1/t0/a0 [0..2] s0/t0 inline 20
                invoke s1/t1/a0 [2..4] s0/t0 inline 20
            report s1/t1/a0
                journal s0/t0/a0, s1/t1/a0
            fail s1/t0/a0 lost
                invoke s1/t0/a1 [0..2] s0/t0 inline 20
            crash
            resume q epoch=2
                invoke s1/t0/a0e2 [0..2] s0/t0 inline 20
        "#]],
    );
    check(
        "settings wins=4
         submit q 1>2>1
         report s0/t0/a0
         report s1/t1/a0
         fail s1/t0/a0 input s0/t0
         report s0/t0/a1
         report s1/t0/a1",
        expect![[r#"
            settings wins=4
            submit q 1>2>1
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36
            report s1/t1/a0
            fail s1/t0/a0 input s0/t0
                invoke s0/t0/a1
            report s0/t0/a1
                invoke s1/t0/a1 [0..2] s0/t0/a1+16
            report s1/t0/a1
                journal s0/t0/a1, s1/t0/a1
                invoke s2/t0/a0 [0..4] s1/t0/a1+16, s1/t1/a0+16
        "#]],
    );
}

#[test]
fn tasks_formed_anew_are_journaled_before_the_first_winner_among_them() {
    check(
        "settings wins=1
         submit q 2>4>1 group=60
         report s0/t0/a0
         report s0/t1/a0
         report s1/t0/a0
         crash
         resume q epoch=2",
        expect![[r#"
            settings wins=1
            submit q 2>4>1 group=60
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
                journal s0/t0/a0
            report s0/t1/a0
                regroup s1: 0..2 2..4
                journal s0/t1/a0, regroup s1
                invoke s1/t0/a0 [0..2] s0/t0/a0+16, s0/t1/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36, s0/t1/a0+36
            report s1/t0/a0
                journal s1/t0/a0
            crash
            resume q epoch=2
                invoke s1/t1/a0e2 [2..4] s0/t0/a0+36, s0/t1/a0+36
        "#]],
    );
}

#[test]
fn three_starts_without_a_winner_are_the_last() {
    check(
        "submit q 1
         crash
         resume q epoch=2
         crash
         resume q epoch=3
         crash
         resume q epoch=4",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            crash
            resume q epoch=2
                invoke s0/t0/a0e2
            crash
            resume q epoch=3
                invoke s0/t0/a0e3
            crash
            resume q epoch=4
                finish q GENERIC_INTERNAL_ERROR: the query was started 3 times, and no start got anywhere; look into the logs of the coordinators that were lost, then submit it again; nothing used
        "#]],
    );
}

#[test]
fn a_winner_in_the_journal_makes_the_starts_count_anew() {
    check(
        "settings wins=1
         submit q 2
         crash
         resume q epoch=2
         report s0/t0/a0e2
         crash
         resume q epoch=3
         crash
         resume q epoch=4",
        expect![[r#"
            settings wins=1
            submit q 2
                invoke s0/t0/a0
                invoke s0/t1/a0
            crash
            resume q epoch=2
                invoke s0/t0/a0e2
                invoke s0/t1/a0e2
            report s0/t0/a0e2
                journal s0/t0/a0e2
            crash
            resume q epoch=3
                invoke s0/t1/a0e3
            crash
            resume q epoch=4
                invoke s0/t1/a0e4
        "#]],
    );
}

#[test]
fn a_cancel_that_was_journaled_elsewhere_and_a_deadline_that_has_passed_end_a_resumed_query() {
    check(
        "submit q 1
         cancel elsewhere
         crash
         resume q epoch=2",
        expect![[r#"
            submit q 1
                invoke s0/t0/a0
            cancel elsewhere
            crash
            resume q epoch=2
                finish q canceled; nothing used
        "#]],
    );
    check(
        "submit q 1 deadline=30s
         crash
         wait 30s
         resume q epoch=2",
        expect![[r#"
            submit q 1 deadline=30s
                invoke s0/t0/a0
            crash
            wait 30s
            resume q epoch=2
                finish q EXCEEDED_TIME_LIMIT: the query exceeded its time limit with 1 of 1 stages unfinished; nothing used
        "#]],
    );
}

#[test]
fn a_fenced_query_launches_and_deletes_nothing_more_and_never_ends_here() {
    check(
        "settings concurrency=1
         submit q 2>1
         fence q
         report s0/t0/a0
         wait 700s",
        expect![[r#"
            settings concurrency=1
            submit q 2>1
                invoke s0/t0/a0
            fence q
            report s0/t0/a0
                late s0/t0/a0: 100 ms
            wait 700s
        "#]],
    );
}

#[test]
fn a_coordinator_that_lost_a_query_can_take_it_over_again() {
    check(
        "settings concurrency=2
         submit q 2>1
         fence q
         claim
         resume q epoch=3
         report s0/t0/a0
         fail s0/t1/a0 lost
         report s0/t1/a0e3
         report s1/t0/a0e3",
        expect![[r#"
            settings concurrency=2
            submit q 2>1
                invoke s0/t0/a0
                invoke s0/t1/a0
            fence q
            claim
            resume q epoch=3
            report s0/t0/a0
                invoke s0/t1/a0e3
            fail s0/t1/a0 lost
            report s0/t1/a0e3
                invoke s1/t0/a0e3 [0..4] s0/t0/a0+16, s0/t1/a0+16
            report s1/t0/a0e3
                finish q with s1/t0/a0; s0 3× 210 ms, s1 1× 100 ms
        "#]],
    );
}

/// Simulation seed 162973: each coordinator counted from nothing, so that an output could be lost for ever.
#[test]
fn how_often_an_output_was_lost_is_counted_over_all_coordinators() {
    check(
        "settings wins=1
         submit q 1>1
         report s0/t0/a0
         fail s1/t0/a0 input s0/t0
         report s0/t0/a1
         fail s1/t0/a1 input s0/t0
         report s0/t0/a2
         crash
         resume q epoch=2
         fail s1/t0/a0e2 input s0/t0
         report s0/t0/a0e2 nonce=9
         fail s1/t0/a1e2 input s0/t0",
        expect![[r#"
            settings wins=1
            submit q 1>1
                invoke s0/t0/a0
            report s0/t0/a0
                journal s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            fail s1/t0/a0 input s0/t0
                invoke s0/t0/a1
            report s0/t0/a1
                journal lost s0/t0, s0/t0/a1
                invoke s1/t0/a1 [0..4] s0/t0/a1+16
            fail s1/t0/a1 input s0/t0
                invoke s0/t0/a2
            report s0/t0/a2
                journal lost s0/t0, s0/t0/a2
                invoke s1/t0/a2 [0..4] s0/t0/a2+16
            crash
            resume q epoch=2
                invoke s1/t0/a0e2 [0..4] s0/t0/a2+16
            fail s1/t0/a0e2 input s0/t0
                invoke s0/t0/a0e2
            report s0/t0/a0e2 nonce=9
                journal lost s0/t0, s0/t0/a0e2
                invoke s1/t0/a1e2 [0..4] s0/t0/a0#9+16
            fail s1/t0/a1e2 input s0/t0
                finish q MAYFLY_S3_ERROR: the output of s0/t0 was lost 4 times: input of s0/t0 at x/default/00/q/s0/t0/2-0-0000000000000009 lost: as the script says; check that nothing else deletes or rewrites objects under x/ in the control bucket; s0 1× 100 ms, s1 2× 20 ms
                discard s0/t0/a0
                discard s0/t0/a1
                discard s0/t0/a2
        "#]],
    );
}

/// Simulation seed 212042: the second coordinator cannot read what the third can, and does not know who falls with s0/t0. The third
/// does, and so does everybody who reads the journal after it: it need not be told.
#[test]
fn what_falls_while_the_journal_is_replayed_is_not_written_again() {
    check(
        "settings wins=1
         submit q 1>1>2
         report s0/t0/a0
         report s1/t0/a0
         crash
         resume q epoch=2 gone=s1/t0/a0
         fail s1/t0/a0e2 input s0/t0
         report s0/t0/a0e2 content=2 nonce=9
         report s1/t0/a1e2 content=2 nonce=10
         crash
         resume q epoch=3
         report s2/t0/a0e3 nonce=11
         report s2/t1/a0e3 nonce=12",
        expect![[r#"
            settings wins=1
            submit q 1>1>2
                invoke s0/t0/a0
            report s0/t0/a0
                journal s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            report s1/t0/a0
                journal s1/t0/a0
                invoke s2/t0/a0 [0..2] s1/t0/a0+16
                invoke s2/t1/a0 [2..4] s1/t0/a0+36
            crash
            resume q epoch=2 gone=s1/t0/a0
                invoke s1/t0/a0e2 [0..4] s0/t0/a0+16
            fail s1/t0/a0e2 input s0/t0
                invoke s0/t0/a0e2
            report s0/t0/a0e2 content=2 nonce=9
                journal lost s0/t0, s0/t0/a0e2
                invoke s1/t0/a1e2 [0..4] s0/t0/a0#9+16
            report s1/t0/a1e2 content=2 nonce=10
                journal s1/t0/a1e2
                invoke s2/t0/a0e2 [0..2] s1/t0/a1#10+16
                invoke s2/t1/a0e2 [2..4] s1/t0/a1#10+36
            crash
            resume q epoch=3
                invoke s2/t0/a0e3 [0..2] s1/t0/a1#10+16
                invoke s2/t1/a0e3 [2..4] s1/t0/a1#10+36
            report s2/t0/a0e3 nonce=11
                journal s2/t0/a0e3
            report s2/t1/a0e3 nonce=12
                finish q with s2/t0/a0#11, s2/t1/a0#12; s0 0× 0 ms, s1 0× 0 ms, s2 2× 200 ms
                discard s0/t0/a0
                discard s1/t0/a0
        "#]],
    );
}
