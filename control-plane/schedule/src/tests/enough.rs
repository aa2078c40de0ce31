//! Stages of which no more rows are wanted than some tasks have.

use super::check;
use expect_test::expect;

#[test]
fn few_tasks_run_at_first_and_more_when_these_had_too_few() {
    check(
        "submit q 12>1 enough=12
         report s0/t0/a0
         report s0/t1/a0
         report s0/t2/a0
         report s0/t3/a0
         report s1/t0/a0",
        expect![[r#"
            submit q 12>1 enough=12
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0
                invoke s0/t2/a0
                invoke s0/t3/a0
                invoke s0/t4/a0
                invoke s0/t5/a0
                invoke s0/t6/a0
                invoke s0/t7/a0
            report s0/t2/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16, s0/t1/a0+16, s0/t2/a0+16, s0/t3 empty, s0/t4 empty, s0/t5 empty, s0/t6 empty, s0/t7 empty, s0/t8 empty, s0/t9 empty, s0/t10 empty, s0/t11 empty
            report s0/t3/a0
            report s1/t0/a0
                finish q with s1/t0/a0; s0 4× 400 ms, s1 1× 100 ms
                discard s0/t3/a0
        "#]],
    );
}

#[test]
fn what_was_skipped_is_wanted_again_when_a_winner_is_lost() {
    check(
        "submit q 3>1 enough=4
         report s0/t0/a0
         fail s1/t0/a0 input s0/t0
         report s0/t1/a0",
        expect![[r#"
            submit q 3>1 enough=4
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
                invoke s1/t0/a0 [0..4] s0/t0/a0+16, s0/t1 empty, s0/t2 empty
            fail s1/t0/a0 input s0/t0
                invoke s0/t0/a1
            report s0/t1/a0
                invoke s1/t0/a1 [0..4] s0/t0 empty, s0/t1/a0+16, s0/t2 empty
        "#]],
    );
}
