//! Any ranges, any order: what is cut out is what was asked for, and no GET is too long or read twice.

use super::*;
use proptest::prelude::*;

fn check(ranges: &[Range<u64>], expected: &[Range<u64>]) {
    assert_eq!(gets(ranges), expected);
}

#[test]
fn near_ranges_share_a_get() {
    check(&[0..10, 20..30], &[0..30]);
    check(
        &[0..10, 10 + GAP_BYTES_MAX + 1..GAP_BYTES_MAX + 20],
        &[0..10, GAP_BYTES_MAX + 11..GAP_BYTES_MAX + 20],
    );
    check(&[], &[]);
    check(&[5..5], &[]);
}

#[test]
fn long_ranges_are_split() {
    let long = GET_BYTES_MAX * 2 + 2;
    let third = long / 3;
    check(&[0..long], &[0..third, third..2 * third, 2 * third..long]);
}

#[test]
fn a_full_get_takes_no_neighbour() {
    check(
        &[0..GET_BYTES_MAX, GET_BYTES_MAX..GET_BYTES_MAX + 1],
        &[0..GET_BYTES_MAX, GET_BYTES_MAX..GET_BYTES_MAX + 1],
    );
}

/// The object whose byte at `n` is `n mod 251`.
fn object(range: Range<u64>) -> Bytes {
    range.map(|at| (at % 251) as u8).collect()
}

proptest! {
    #[test]
    fn every_range_comes_back_whole(starts in prop::collection::vec((0u64..20_000_000, 0u64..3_000_000), 1..8)) {
        let ranges: Vec<Range<u64>> = starts.into_iter().map(|(start, length)| start..start + length).collect();
        let gets = gets(&ranges);
        prop_assert!(gets.iter().all(|get| !get.is_empty() && get.end - get.start <= GET_BYTES_MAX));
        prop_assert!(gets.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let fetched: Vec<_> = gets.into_iter().map(|get| (get.clone(), object(get))).collect();
        for range in &ranges {
            prop_assert_eq!(slice(&fetched, range), Some(object(range.clone())));
        }
    }
}
