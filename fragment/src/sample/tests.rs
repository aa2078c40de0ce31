//! Shares are as asked for, and files, seeds and units draw independently.

use super::*;
use mayfly_protocol::FileRange;

fn split(key: &str) -> Split {
    Split {
        bucket: "lake".to_owned(),
        key: key.to_owned(),
        etag: String::new(),
        size_bytes: 1,
        range: FileRange::All,
        scan_bytes: 1,
        rows: 1,
        partition_values: Vec::new(),
    }
}

fn sample(unit: SampleUnit, share: f64, seed: u64) -> Sample {
    Sample { unit, share, seed }
}

fn rows(sample: Sample, key: &str) -> Vec<u64> {
    let draw = sample.of_file(&split(key));
    (0..100_000).filter(|row| draw.takes_row(row / 1_000, *row)).collect()
}

#[test]
fn shares_are_as_asked_for() {
    for seed in 0..20 {
        let tenth = rows(sample(SampleUnit::Row, 0.1, seed), "a").len();
        assert!((9_500..10_500).contains(&tenth), "seed {seed}: {tenth}");
        assert_eq!(rows(sample(SampleUnit::Row, 0.0, seed), "a"), Vec::<u64>::new());
        assert_eq!(rows(sample(SampleUnit::Row, 1.0, seed), "a").len(), 100_000);
        let groups = rows(sample(SampleUnit::Block, 0.5, seed), "a");
        assert_eq!(groups.len() % 1_000, 0, "seed {seed}");
        assert!(
            (25_000..75_000).contains(&groups.len()),
            "seed {seed}: {}",
            groups.len()
        );
    }
}

#[test]
fn seeds_and_files_draw_independently() {
    let first = rows(sample(SampleUnit::Row, 0.1, 1), "a");
    assert_eq!(first, rows(sample(SampleUnit::Row, 0.1, 1), "a"));
    for other in [
        rows(sample(SampleUnit::Row, 0.1, 2), "a"),
        rows(sample(SampleUnit::Row, 0.1, 1), "b"),
        rows(sample(SampleUnit::Row, 0.1, 1), "aa"),
    ] {
        let both = other.iter().filter(|row| first.binary_search(row).is_ok()).count();
        assert!((800..1_200).contains(&both), "{both} of 100,000 are in both");
    }
}

/// A larger share of one seed holds the smaller.
#[test]
fn larger_samples_hold_smaller_ones() {
    let small = rows(sample(SampleUnit::Row, 0.1, 7), "a");
    let large = rows(sample(SampleUnit::Row, 0.3, 7), "a");
    assert!(small.iter().all(|row| large.binary_search(row).is_ok()));
}
