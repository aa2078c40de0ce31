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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
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
        expect![[r#""#]],
    );
}

#[test]
fn a_loss_that_the_reader_cannot_know_counts_as_a_crash() {
    check(
        "submit q 1>1>1
         report s0/t0/a0
         report s1/t0/a0
         fail s2/t0/a0 input s0/t0",
        expect![[r#""#]],
    );
}
