//! However splits are spread, every row group is read exactly once, and shares are even.

use super::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn split(file: u32, start: u32, end: u32, bytes: u64) -> Split {
    Split {
        bucket: "b".to_owned(),
        key: format!("f{file}"),
        etag: "e".to_owned(),
        size_bytes: 1_000,
        range: FileRange::RowGroups { start, end },
        scan_bytes: bytes,
        rows: bytes,
        partition_values: Vec::new(),
    }
}

/// `file:row group` of every row group, in order.
fn row_groups<'a>(splits: impl IntoIterator<Item = &'a Split>) -> Vec<String> {
    let mut all = Vec::new();
    for split in splits {
        let FileRange::RowGroups { start, end } = split.range else {
            panic!("a range")
        };
        all.extend((start..end).map(|row_group| format!("{}:{row_group}", split.key)));
    }
    all
}

#[test]
fn one_large_split_feeds_all_partitions() {
    let shares = spread(&[split(0, 2, 10, 800)], 4);
    let sizes: Vec<u64> = shares.iter().flatten().map(|split| split.rows).collect();
    assert_eq!(sizes, [200, 200, 200, 200]);
}

#[test]
fn no_split_is_legal() {
    assert_eq!(spread(&[], 3), vec![Vec::new(); 3]);
}

#[test]
fn a_file_of_unknown_row_groups_stays_whole() {
    let whole = Split {
        range: FileRange::All,
        ..split(0, 0, 0, 10)
    };
    let shares = spread(std::slice::from_ref(&whole), 3);
    assert_eq!(shares.concat(), [whole]);
}

#[test]
fn every_row_group_is_read_once() {
    for seed in 0..1_000 {
        let mut random = SmallRng::seed_from_u64(seed);
        let files = random.random_range(0..12);
        let mut split = |file| split(file, 1, 1 + random.random_range(0..6), random.random_range(0..1_000));
        let splits: Vec<Split> = (0..files).map(&mut split).collect();
        let partitions = 1 + (seed % 8) as usize;
        let shares = spread(&splits, partitions);
        assert_eq!(shares.len(), partitions, "seed={seed}");
        assert_eq!(row_groups(shares.iter().flatten()), row_groups(&splits), "seed={seed}");
    }
}
