//! Damaged, truncated and forged bytes: refused or, where the checksum was forged too, at least survived.

use super::super::footer;
use super::*;
use crate::sample;
use rand::Rng;
use std::ops::Range;

const DAMAGED_BLOCKS: usize = 1_000_000;
const FORGED_BLOCKS: usize = 20_000;

fn blocks() -> Vec<(Wire, Vec<u8>)> {
    let mut random = sample::random(1);
    let some = sample::types().into_iter().map(|data_type| vec![data_type]);
    let schemas = some.chain([sample::types(), Vec::new()]);
    let block = |types: Vec<arrow::datatypes::DataType>| {
        let schema = sample::schema_of(&types);
        let wire = Wire::new(schema.clone()).expect("types that travel");
        let block = encode(&wire, &sample::batch(&schema, 100, &mut random));
        (wire, block)
    };
    schemas.map(block).collect()
}

/// Flips bits, overwrites bytes, or swaps words, somewhere in the range.
fn damage(bytes: &mut [u8], range: Range<usize>, random: &mut impl Rng) {
    let at = random.random_range(range.clone());
    match random.random_range(0..4) {
        0 => bytes[at] ^= 1 << random.random_range(0..8),
        1 => bytes[at] = random.random(),
        2 => {
            let end = range.end.min(at + random.random_range(1..16));
            random.fill(&mut bytes[at..end]);
        }
        _ => bytes[at..range.end.min(at + 4)].fill(0xff),
    }
}

#[test]
fn no_damaged_block_is_accepted() {
    let blocks = blocks();
    let mut random = sample::random(2);
    for nth in 0..DAMAGED_BLOCKS {
        let (wire, sound) = &blocks[nth % blocks.len()];
        let mut block = sound.clone();
        damage(&mut block, 0..sound.len(), &mut random);
        if block != *sound {
            assert!(decode(wire, &block).is_err(), "seed 2, block {nth}");
        }
    }
}

#[test]
fn no_truncated_block_is_accepted() {
    for (wire, block) in blocks() {
        for length in 0..block.len() {
            assert!(decode(&wire, &block[..length]).is_err(), "{length} of {}", block.len());
        }
    }
}

/// The checksum is right and the content is not: nothing an accident can do, so any answer will do, but for a panic.
#[test]
fn forged_blocks_are_survived() {
    let blocks = blocks();
    let mut random = sample::random(3);
    let mut refused = 0;
    for nth in 0..FORGED_BLOCKS {
        let (wire, sound) = &blocks[nth % blocks.len()];
        let mut block = sound.clone();
        damage(&mut block, 0..sound.len(), &mut random);
        forge(&mut block);
        refused += usize::from(decode(wire, &block).is_err());
    }
    assert!(refused > FORGED_BLOCKS / 10, "only {refused} refused");
}

#[test]
fn a_block_of_other_columns_is_refused() {
    let numbers = sample::schema_of(&[arrow::datatypes::DataType::Int64]);
    let floats = sample::schema_of(&[arrow::datatypes::DataType::Float64]);
    let block = encode(
        &Wire::new(numbers.clone()).expect("types that travel"),
        &sample::batch(&numbers, 10, &mut sample::random(4)),
    );
    let wire = Wire::new(floats).expect("types that travel");
    assert_eq!(decode(&wire, &block), Err(FormatError::Columns));
}

#[test]
fn a_header_that_promises_too_much_is_refused_before_memory_is_taken() {
    let mut header = [0u8; HEADER_BYTES];
    header[..4].copy_from_slice(&100u32.to_le_bytes());
    header[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    for codec in 0..=2 {
        header[16] = codec;
        assert!(BlockHeader::parse(header).is_err());
    }
    header[4..8].copy_from_slice(&26_000u32.to_le_bytes());
    header[16] = 1;
    assert!(BlockHeader::parse(header).is_err(), "LZ4 cannot expand 260 times");
}

#[test]
fn garbage_is_no_footer() {
    let mut random = sample::random(5);
    for length in 0..200 {
        let garbage: Vec<u8> = (0..length).map(|_| random.random()).collect();
        assert!(footer::decode(&garbage).is_err());
        let mut signed = garbage.clone();
        signed.extend_from_slice(b"mayflyex");
        assert!(footer::decode(&signed).is_err());
    }
}
