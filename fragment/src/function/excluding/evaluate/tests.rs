//! What is left of frames.

use super::*;

fn check(frame: Range<usize>, row: usize, peers: Range<usize>, expected: [&[usize]; 3]) {
    let exclusions = [Exclusion::CurrentRow, Exclusion::Group, Exclusion::Ties];
    for (exclusion, expected) in exclusions.into_iter().zip(expected) {
        let rows: Vec<usize> = left(&frame, row, &peers, exclusion).into_iter().flatten().collect();
        assert_eq!(rows, expected, "{frame:?} of row {row} among {peers:?}, {exclusion:?}");
    }
}

#[test]
fn rows_are_left_out_wherever_they_lie() {
    check(0..6, 3, 2..5, [&[0, 1, 2, 4, 5], &[0, 1, 5], &[0, 1, 3, 5]]);
    check(0..6, 0, 0..1, [&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5], &[0, 1, 2, 3, 4, 5]]);
    check(0..6, 5, 0..6, [&[0, 1, 2, 3, 4], &[], &[5]]);
    // The frame cuts the peers, or does not hold the row.
    check(3..5, 3, 2..5, [&[4], &[], &[3]]);
    check(4..6, 3, 2..5, [&[4, 5], &[5], &[5]]);
    check(0..2, 3, 2..5, [&[0, 1], &[0, 1], &[0, 1]]);
    check(5..7, 3, 2..5, [&[5, 6], &[5, 6], &[5, 6]]);
    check(2..2, 2, 2..3, [&[], &[], &[]]);
}
