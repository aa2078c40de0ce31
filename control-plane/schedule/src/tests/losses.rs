//! Inputs lost: the producer runs again, readers are pinned anew, versions never mix.

use super::check;
use expect_test::expect;

#[test]
fn a_lost_input_is_made_again_and_its_readers_are_pinned_anew() {
    check(
        "submit q 2>2
         report s0/t0/a0
         report s0/t1/a0
         fail s1/t0/a0 input s0/t1
         progress q
         report s1/t1/a0
         report s0/t1/a1
         report s1/t0/a1
         report s1/t1/a1",
        expect![[r#"
            submit q 2>2
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16, s0/t1/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36, s0/t1/a0+36
            fail s1/t0/a0 input s0/t1
                invoke s0/t1/a1
            progress q
                s0: 0 planned, 0 queued, 1 running, 1 done, 0 failed; 4 rows out
                s1: 2 planned, 0 queued, 0 running, 0 done, 1 failed; 0 rows out
            report s1/t1/a0
            report s0/t1/a1
                invoke s1/t0/a1 [0..2] s0/t0/a0+16, s0/t1/a1+16
                invoke s1/t1/a1 [2..4] s0/t0/a0+36, s0/t1/a1+36
            report s1/t0/a1
            report s1/t1/a1
                finish q with s1/t0/a1, s1/t1/a1; s0 3× 300 ms, s1 4× 310 ms
                discard s0/t1/a0
                discard s1/t1/a0
        "#]],
    );
}

#[test]
fn a_reader_that_has_won_keeps_its_win_when_the_content_is_the_same() {
    check(
        "submit q 1>2>1
         report s0/t0/a0
         report s1/t1/a0
         fail s1/t0/a0 input s0/t0
         report s0/t0/a1
         report s1/t0/a1
         report s2/t0/a0",
        expect![[r#"
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
                invoke s2/t0/a0 [0..4] s1/t0/a1+16, s1/t1/a0+16
            report s2/t0/a0
                finish q with s2/t0/a0; s0 2× 200 ms, s1 3× 210 ms, s2 1× 100 ms
                discard s0/t0/a0
        "#]],
    );
}

#[test]
fn a_reader_that_has_won_runs_again_when_the_content_differs() {
    check(
        "submit q 1>2>1
         report s0/t0/a0
         report s1/t1/a0
         fail s1/t0/a0 input s0/t0
         report s0/t0/a1 content=2
         report s1/t0/a1
         report s1/t1/a1
         report s2/t0/a0",
        expect![[r#"
            submit q 1>2>1
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36
            report s1/t1/a0
            fail s1/t0/a0 input s0/t0
                invoke s0/t0/a1
            report s0/t0/a1 content=2
                invoke s1/t0/a1 [0..2] s0/t0/a1+16
                invoke s1/t1/a1 [2..4] s0/t0/a1+36
            report s1/t0/a1
            report s1/t1/a1
                invoke s2/t0/a0 [0..4] s1/t0/a1+16, s1/t1/a1+16
            report s2/t0/a0
                finish q with s2/t0/a0; s0 2× 200 ms, s1 4× 310 ms, s2 1× 100 ms
                discard s0/t0/a0
                discard s1/t1/a0
        "#]],
    );
}

#[test]
fn what_was_computed_from_the_old_content_is_dropped_all_the_way_down() {
    check(
        "submit q diamond
         report s0/t0/a0
         report s0/t1/a0
         report s1/t0/a0
         report s1/t1/a0
         report s2/t0/a0
         fail s2/t1/a0 input s0/t0
         report s0/t0/a1 content=2
         progress q",
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
            fail s2/t1/a0 input s0/t0
                invoke s0/t0/a1
            report s0/t0/a1 content=2
                invoke s1/t0/a1 [0..2] s0/t0/a1+16, s0/t1/a0+16
                invoke s1/t1/a1 [2..4] s0/t0/a1+36, s0/t1/a0+36
                invoke s2/t0/a1 [0..2] s0/t0/a1+16, s0/t1/a0+16
                invoke s2/t1/a1 [2..4] s0/t0/a1+36, s0/t1/a0+36
            progress q
                s0: 0 planned, 0 queued, 0 running, 2 done, 0 failed; 8 rows out
                s1: 0 planned, 0 queued, 2 running, 0 done, 0 failed; 0 rows out
                s2: 0 planned, 0 queued, 2 running, 0 done, 1 failed; 0 rows out
                s3: 1 planned, 0 queued, 0 running, 0 done, 0 failed; 0 rows out
        "#]],
    );
}

#[test]
fn two_readers_of_one_lost_object_cost_one_repetition() {
    check(
        "submit q 1>2
         report s0/t0/a0
         fail s1/t0/a0 input s0/t0
         fail s1/t1/a0 input s0/t0
         report s0/t0/a1
         report s1/t0/a1
         report s1/t1/a1",
        expect![[r#"
            submit q 1>2
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36
            fail s1/t0/a0 input s0/t0
                invoke s0/t0/a1
            fail s1/t1/a0 input s0/t0
            report s0/t0/a1
                invoke s1/t0/a1 [0..2] s0/t0/a1+16
                invoke s1/t1/a1 [2..4] s0/t0/a1+36
            report s1/t0/a1
            report s1/t1/a1
                finish q with s1/t0/a1, s1/t1/a1; s0 2× 200 ms, s1 4× 220 ms
                discard s0/t0/a0
        "#]],
    );
}

#[test]
fn a_reader_whose_slices_came_out_where_they_were_is_not_repeated() {
    check(
        "submit q 2>2
         report s0/t0/a0
         report s0/t1/a0 empty
         fail s1/t0/a0 input s0/t1
         report s0/t1/a1 empty
         report s1/t1/a0
         report s1/t0/a1",
        expect![[r#"
            submit q 2>2
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0 empty
                invoke s1/t0/a0 [0..2] s0/t0/a0+16, s0/t1 empty
                invoke s1/t1/a0 [2..4] s0/t0/a0+36, s0/t1 empty
            fail s1/t0/a0 input s0/t1
                invoke s0/t1/a1
            report s0/t1/a1 empty
                invoke s1/t0/a1 [0..2] s0/t0/a0+16, s0/t1 empty
            report s1/t1/a0
            report s1/t0/a1
                finish q with s1/t0/a1, s1/t1/a0; s0 3× 300 ms, s1 3× 210 ms
                discard s0/t1/a0
        "#]],
    );
}

#[test]
fn the_report_of_a_lost_object_does_not_win_again() {
    check(
        "submit q 1>1
         report s0/t0/a0
         fail s1/t0/a0 input s0/t0
         report s0/t0/a0
         report s0/t0/a1
         report s1/t0/a1",
        expect![[r#"
            submit q 1>1
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            fail s1/t0/a0 input s0/t0
                invoke s0/t0/a1
            report s0/t0/a0
            report s0/t0/a1
                invoke s1/t0/a1 [0..4] s0/t0/a1+16
            report s1/t0/a1
                finish q with s1/t0/a1; s0 3× 300 ms, s1 2× 110 ms
                discard s0/t0/a0
        "#]],
    );
}

#[test]
fn the_fourth_loss_of_one_output_fails_the_query() {
    check(
        "submit q 1>1
         report s0/t0/a0
         fail s1/t0/a0 input s0/t0
         report s0/t0/a1
         fail s1/t0/a1 input s0/t0
         report s0/t0/a2
         fail s1/t0/a2 input s0/t0
         report s0/t0/a3
         fail s1/t0/a3 input s0/t0",
        expect![[r#"
            submit q 1>1
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            fail s1/t0/a0 input s0/t0
                invoke s0/t0/a1
            report s0/t0/a1
                invoke s1/t0/a1 [0..4] s0/t0/a1+16
            fail s1/t0/a1 input s0/t0
                invoke s0/t0/a2
            report s0/t0/a2
                invoke s1/t0/a2 [0..4] s0/t0/a2+16
            fail s1/t0/a2 input s0/t0
                invoke s0/t0/a3
            report s0/t0/a3
                invoke s1/t0/a3 [0..4] s0/t0/a3+16
            fail s1/t0/a3 input s0/t0
                finish q MAYFLY_S3_ERROR: the output of s0/t0 was lost 4 times: input of s0/t0 at x/default/00/q/s0/t0/1-3-0000000000000003 lost: as the script says; check that nothing else deletes or rewrites objects under x/ in the control bucket; s0 4× 400 ms, s1 4× 40 ms
                discard s0/t0/a0
                discard s0/t0/a1
                discard s0/t0/a2
        "#]],
    );
}

#[test]
fn a_loss_that_the_reader_cannot_know_counts_as_a_crash() {
    check(
        "submit q 1>1>1
         report s0/t0/a0
         report s1/t0/a0
         fail s2/t0/a0 input s0/t0",
        expect![[r#"
            submit q 1>1>1
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            report s1/t0/a0
                invoke s2/t0/a0 [0..4] s1/t0/a0+16
            fail s2/t0/a0 input s0/t0
                invoke s2/t0/a1 [0..4] s1/t0/a0+16
        "#]],
    );
}

/// Simulation seed 21636: s1/t0 was lost, and before it was made again its own input came out different. Its readers, who had won
/// on the lost one, stayed.
#[test]
fn readers_of_a_lost_output_fall_when_it_is_made_again_from_other_inputs() {
    check(
        "submit q 1>1>2>1
         report s0/t0/a0
         report s1/t0/a0
         report s2/t1/a0
         fail s2/t0/a0 input s1/t0
         fail s1/t0/a1 input s0/t0
         report s0/t0/a1 content=2
         report s1/t0/a2 content=2
         progress q",
        expect![[r#"
            submit q 1>1>2>1
                invoke s0/t0/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16
            report s1/t0/a0
                invoke s2/t0/a0 [0..2] s1/t0/a0+16
                invoke s2/t1/a0 [2..4] s1/t0/a0+36
            report s2/t1/a0
            fail s2/t0/a0 input s1/t0
                invoke s1/t0/a1 [0..4] s0/t0/a0+16
            fail s1/t0/a1 input s0/t0
                invoke s0/t0/a1
            report s0/t0/a1 content=2
                invoke s1/t0/a2 [0..4] s0/t0/a1+16
            report s1/t0/a2 content=2
                invoke s2/t0/a1 [0..2] s1/t0/a2+16
                invoke s2/t1/a1 [2..4] s1/t0/a2+36
            progress q
                s0: 0 planned, 0 queued, 0 running, 1 done, 0 failed; 4 rows out
                s1: 0 planned, 0 queued, 0 running, 1 done, 1 failed; 4 rows out
                s2: 0 planned, 0 queued, 2 running, 0 done, 1 failed; 0 rows out
                s3: 1 planned, 0 queued, 0 running, 0 done, 0 failed; 0 rows out
        "#]],
    );
}
