//! Tests of `clock`.

use super::{moved, now, wall};
use mayfly_protocol::EpochMs;

#[test]
fn a_moment_keeps_its_distance_whatever_the_wall_clock_shows() {
    let check = |moment: u64, from: u64, to: u64, expected: u64| {
        assert_eq!(moved(EpochMs(moment), EpochMs(from), EpochMs(to)), EpochMs(expected));
    };
    // A minute left, on a wall clock that is right, an hour ahead, behind, and at its very beginning.
    check(160, 100, 100, 160);
    check(160, 100, 3_700, 3_760);
    check(160, 100, 40, 100);
    check(160, 100, 0, 60);
    // And a minute ago.
    check(40, 100, 3_700, 3_640);
    check(40, 100, 30, 0);
}

#[test]
fn both_clocks_begin_together() {
    let apart = now().0.abs_diff(wall().0);
    assert!(apart < 60_000, "{apart} ms apart");
}
