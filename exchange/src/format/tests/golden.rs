//! Bytes that outlive a process. An old golden is never edited; new meaning gets a new version and a new file.

use super::super::digest::DigestBuilder;
use super::super::footer::{self, Footer};
use super::super::{MAGIC, header};
use super::*;
use crate::sample;
use mayfly_protocol::{Nonce, PartitionEntry};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/exchange/v1.bin");

/// An object of three partitions, the middle one empty, put together without the writer.
fn object() -> Vec<u8> {
    let batch = sample::fixed();
    let wire = Wire::new(batch.schema()).expect("types that travel");
    let mut object = header::encode(&wire, 3).expect("a small schema");
    let data_offset = object.len() as u64;
    let mut entry = |rows: RecordBatch| {
        let block = encode(&wire, &rows);
        let mut digest = DigestBuilder::default();
        digest.block(block.first_chunk().expect("a header"));
        object.extend_from_slice(&block);
        PartitionEntry {
            len_bytes: block.len() as u64,
            rows: rows.num_rows() as u64,
            digest: digest.finish(),
        }
    };
    let first = entry(batch.slice(0, 1));
    let partitions = vec![first, PartitionEntry::default(), entry(batch.slice(1, 2))];
    object.extend(footer::encode(&Footer {
        attempt: "20261120_151209_00042_k3x9a/s2/t14/a1".parse().expect("spelled right"),
        nonce: Nonce(7),
        pin_digest: None,
        data_offset,
        partitions,
    }));
    object
}

/// With `UPDATE_GOLDEN=1` a missing golden is written; an existing one never is.
#[test]
fn this_build_writes_the_golden_bytes() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !std::path::Path::new(GOLDEN).exists() {
        std::fs::write(GOLDEN, object()).expect("the folder is there");
    }
    let golden = std::fs::read(GOLDEN).expect("the golden is there");
    assert!(
        golden == object(),
        "bytes differ: version 1 must stay readable, new bytes need a golden of their own"
    );
}

#[test]
fn this_build_reads_the_golden_bytes() {
    let golden = std::fs::read(GOLDEN).expect("the golden is there");
    let expected = sample::fixed();
    let wire = Wire::new(expected.schema()).expect("types that travel");
    assert_eq!(golden[..8], MAGIC);
    assert_eq!(golden[8..12], [1, 0, 0, 0], "version 1, no flag");
    assert_eq!(u32_at(&golden, 12), 3, "partitions");
    assert_eq!(u32_at(&golden, 20), wire.types());

    let footer = footer::decode(&golden).expect("sound");
    assert_eq!(footer.data_offset, 32 + u64::from(u32_at(&golden, 16)));
    assert_eq!(footer.nonce, Nonce(7));
    let rows: Vec<u64> = footer.partitions.iter().map(|partition| partition.rows).collect();
    assert_eq!(rows, [1, 0, 2]);

    let mut at = footer.data_offset as usize;
    let mut batches = Vec::new();
    for partition in footer.partitions.iter().filter(|partition| partition.rows > 0) {
        let block = &golden[at..at + partition.len_bytes as usize];
        let mut digest = DigestBuilder::default();
        digest.block(block.first_chunk().expect("a header"));
        assert_eq!(digest.finish(), partition.digest);
        batches.push(decode(&wire, block).expect("sound"));
        at += block.len();
    }
    assert_eq!(sample::joined(&expected.schema(), &batches), expected);
}
