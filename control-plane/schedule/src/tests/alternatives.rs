//! Other plans for a stage, taken or not, by one coordinator and by the next.

use super::check;
use expect_test::expect;

#[test]
fn a_small_input_changes_the_plan_of_its_reader() {
    check(
        "submit q 2>2>1 instead=50
         report s0/t0/a0 empty
         report s0/t1/a0
         report s1/t0/a0",
        expect![[r#"
            submit q 2>2>1 instead=50
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0 empty
            report s0/t1/a0
                switch s1
                invoke s1/t0/a0 [0..4] s0/t0 empty, s0/t1/a0+16
            report s1/t0/a0
                invoke s2/t0/a0 [0..4] s1/t0/a0+16
        "#]],
    );
}

/// The second coordinator cannot see an object, makes it again smaller, and changes the plan. The third sees it: the readers that have
/// won stay, and their stage is what it was.
#[test]
fn a_change_of_a_stage_that_has_winners_is_not_taken_over() {
    check(
        "settings wins=1
         submit q 2>2>1 instead=50
         report s0/t0/a0
         report s0/t1/a0
         report s1/t0/a0
         crash
         resume q epoch=2 gone=s0/t1/a0
         report s0/t1/a0e2 empty nonce=9
         crash
         resume q epoch=3
         report s1/t1/a0e3",
        expect![[r#"
            settings wins=1
            submit q 2>2>1 instead=50
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
                journal s0/t0/a0
            report s0/t1/a0
                journal s0/t1/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16, s0/t1/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36, s0/t1/a0+36
            report s1/t0/a0
                journal s1/t0/a0
            crash
            resume q epoch=2 gone=s0/t1/a0
                invoke s0/t1/a0e2
            report s0/t1/a0e2 empty nonce=9
                switch s1
                journal s0/t1/a0e2, switch s1
                invoke s1/t0/a0e2 [0..4] s0/t0/a0+16, s0/t1 empty
            crash
            resume q epoch=3
                invoke s1/t1/a0e3 [2..4] s0/t0/a0+36, s0/t1/a0+36
            report s1/t1/a0e3
                journal s1/t1/a0e3
                invoke s2/t0/a0e3 [0..4] s1/t0/a0+16, s1/t1/a0+16
        "#]],
    );
}

#[test]
fn a_change_is_taken_over_where_the_stage_has_no_winner() {
    check(
        "settings wins=1
         submit q 2>2>1 instead=50
         report s0/t0/a0 empty
         report s0/t1/a0
         crash
         resume q epoch=2
         report s1/t0/a0e2",
        expect![[r#"
            settings wins=1
            submit q 2>2>1 instead=50
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0 empty
                journal s0/t0/a0
            report s0/t1/a0
                switch s1
                journal s0/t1/a0, switch s1
                invoke s1/t0/a0 [0..4] s0/t0 empty, s0/t1/a0+16
            crash
            resume q epoch=2
                invoke s1/t0/a0e2 [0..4] s0/t0 empty, s0/t1/a0+16
            report s1/t0/a0e2
                journal s1/t0/a0e2
                invoke s2/t0/a0e2 [0..4] s1/t0/a0+16
        "#]],
    );
}
