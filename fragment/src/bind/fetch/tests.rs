//! Any ranges, any order: what is cut out is what was asked for, and no GET is too long or read twice.

use super::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

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

#[test]
fn every_range_comes_back_whole() {
    for seed in 0..200 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut range = || {
            let start = random.random_range(0..20_000_000);
            start..start + random.random_range(0..3_000_000)
        };
        let ranges: Vec<Range<u64>> = (0..1 + seed % 7).map(|_| range()).collect();
        let gets = gets(&ranges);
        assert!(
            gets.iter()
                .all(|get| !get.is_empty() && get.end - get.start <= GET_BYTES_MAX),
            "seed={seed}"
        );
        assert!(gets.windows(2).all(|pair| pair[0].end <= pair[1].start), "seed={seed}");
        let fetched: Vec<_> = gets.into_iter().map(|get| (get.clone(), object(get))).collect();
        for range in &ranges {
            assert_eq!(slice(&fetched, range), Some(object(range.clone())), "seed={seed}");
        }
    }
}
