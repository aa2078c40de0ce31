//! Tasks formed anew when the inputs of a stage are complete.

use super::check;
use expect_test::expect;

#[test]
fn small_partitions_go_to_one_task() {
    check(
        "submit q 2>3>1 group=1000
         report s0/t0/a0
         report s0/t1/a0
         report s1/t0/a0
         report s2/t0/a0",
        expect![[r#"
            submit q 2>3>1 group=1000
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0
                regroup s1: 0..4
                invoke s1/t0/a0 [0..4] s0/t0/a0+16, s0/t1/a0+16
            report s1/t0/a0
                invoke s2/t0/a0 [0..4] s1/t0/a0+16
            report s2/t0/a0
                finish q with s2/t0/a0; s0 2× 200 ms, s1 1× 100 ms, s2 1× 100 ms
        "#]],
    );
}

#[test]
fn a_hot_partition_is_shared_by_its_producers() {
    check(
        "submit q 2>2 group=60
         report s0/t0/a0 hot=2
         report s0/t1/a0 hot=2",
        expect![[r#"
            submit q 2>2 group=60
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0 hot=2
            report s0/t1/a0 hot=2
                regroup s1: 0..2 2..3 of 0..1 2..3 of 1..2 3..4
                invoke s1/t0/a0 [0..2] s0/t0/a0+16, s0/t1/a0+16
                invoke s1/t1/a0 [2..3] s0/t0/a0+36
                invoke s1/t2/a0 [2..3] s0/t1/a0+36
                invoke s1/t3/a0 [3..4] s0/t0/a0+136, s0/t1/a0+136
        "#]],
    );
}

#[test]
fn tasks_stay_when_an_input_is_made_again() {
    check(
        "submit q 2>2>1 group=20
         report s0/t0/a0
         report s0/t1/a0
         fail s1/t0/a0 input s0/t1
         report s0/t1/a1 hot=0 nonce=9",
        expect![[r#"
            submit q 2>2>1 group=20
                invoke s0/t0/a0
                invoke s0/t1/a0
            report s0/t0/a0
            report s0/t1/a0
                regroup s1: 0..1 1..2 2..3 3..4
                invoke s1/t0/a0 [0..1] s0/t0/a0+16, s0/t1/a0+16
                invoke s1/t1/a0 [1..2] s0/t0/a0+26, s0/t1/a0+26
                invoke s1/t2/a0 [2..3] s0/t0/a0+36, s0/t1/a0+36
                invoke s1/t3/a0 [3..4] s0/t0/a0+46, s0/t1/a0+46
            fail s1/t0/a0 input s0/t1
                invoke s0/t1/a1
            report s0/t1/a1 hot=0 nonce=9
                invoke s1/t0/a1 [0..1] s0/t0/a0+16, s0/t1/a1#9+16
                invoke s1/t1/a1 [1..2] s0/t0/a0+26, s0/t1/a1#9+116
                invoke s1/t2/a1 [2..3] s0/t0/a0+36, s0/t1/a1#9+126
                invoke s1/t3/a1 [3..4] s0/t0/a0+46, s0/t1/a1#9+136
        "#]],
    );
}

/// Simulation seed 6221137: what the first coordinator formed by two tasks of s1 would not read a third.
#[test]
fn a_stage_keeps_the_tasks_by_which_its_readers_were_formed() {
    check(
        "settings wins=1
         submit q 1>2>2>1 group=20
         report s0/t0/a0
         report s1/t0/a0 hot=2
         report s1/t1/a0 hot=2
         report s2/t0/a0
         crash
         resume q epoch=2 gone=s0/t0/a0
         report s0/t0/a0e2 hot=1 nonce=9",
        expect![[r#"
            settings wins=1
            submit q 1>2>2>1 group=20
                invoke s0/t0/a0
            report s0/t0/a0
                journal s0/t0/a0
                invoke s1/t0/a0 [0..2] s0/t0/a0+16
                invoke s1/t1/a0 [2..4] s0/t0/a0+36
            report s1/t0/a0 hot=2
                journal s1/t0/a0
            report s1/t1/a0 hot=2
                regroup s2: 0..2 2..3 of 0..1 2..3 of 1..2 3..4
                journal s1/t1/a0, regroup s2
                invoke s2/t0/a0 [0..2] s1/t0/a0+16, s1/t1/a0+16
                invoke s2/t1/a0 [2..3] s1/t0/a0+36
                invoke s2/t2/a0 [2..3] s1/t1/a0+36
                invoke s2/t3/a0 [3..4] s1/t0/a0+136, s1/t1/a0+136
            report s2/t0/a0
                journal s2/t0/a0
            crash
            resume q epoch=2 gone=s0/t0/a0
                invoke s0/t0/a0e2
            report s0/t0/a0e2 hot=1 nonce=9
                journal s0/t0/a0e2
                invoke s1/t0/a0e2 [0..2] s0/t0/a0#9+16
                invoke s1/t1/a0e2 [2..4] s0/t0/a0#9+126
        "#]],
    );
}
