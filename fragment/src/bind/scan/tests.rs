//! However splits are spread, every row group is read exactly once, and shares are even.

use super::*;
use proptest::prelude::*;

fn split(file: u32, start: u32, end: u32, bytes: u64) -> Split {
    Split {
        bucket: "b".to_owned(),
        key: format!("f{file}"),
        etag: "e".to_owned(),
        size_bytes: 1_000,
        row_groups: RowGroups::Range { start, end },
        scan_bytes: bytes,
        rows: bytes,
    }
}

/// `file:row group` of every row group, in order.
fn row_groups<'a>(splits: impl IntoIterator<Item = &'a Split>) -> Vec<String> {
    let mut all = Vec::new();
    for split in splits {
        let RowGroups::Range { start, end } = split.row_groups else {
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
        row_groups: RowGroups::All,
        ..split(0, 0, 0, 10)
    };
    let shares = spread(std::slice::from_ref(&whole), 3);
    assert_eq!(shares.concat(), [whole]);
}

proptest! {
    #[test]
    fn every_row_group_is_read_once(sizes in prop::collection::vec((0u32..6, 0u64..1_000), 0..12), partitions in 1usize..9) {
        let splits: Vec<Split> = sizes.iter().enumerate()
            .map(|(file, &(groups, bytes))| split(file as u32, 1, 1 + groups, bytes)).collect();
        let shares = spread(&splits, partitions);
        prop_assert_eq!(shares.len(), partitions);
        prop_assert_eq!(row_groups(shares.iter().flatten()), row_groups(&splits));
    }
}
