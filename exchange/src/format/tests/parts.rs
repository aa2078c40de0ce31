//! The small parts: the queue of chunks, the digest, compression, and what a block weighs.

use super::super::digest::DigestBuilder;
use super::super::queue::ByteQueue;
use super::*;
use crate::sample;
use arrow::array::{Array, Int64Array, ListArray, StringArray};
use arrow::datatypes::DataType;
use bytes::Bytes;
use mayfly_protocol::PartitionDigest;
use rand::Rng;
use std::sync::Arc;

#[test]
fn a_queue_gives_back_what_it_was_given_however_it_is_cut() {
    let mut random = sample::random(6);
    let all: Vec<u8> = (0..10_000).map(|_| random.random()).collect();
    for _ in 0..50 {
        let (mut queue, mut given, mut taken) = (ByteQueue::default(), 0, Vec::new());
        while taken.len() < all.len() {
            let wanted = random.random_range(1..400).min(all.len() - taken.len());
            while queue
                .take(wanted)
                .map(|bytes| taken.extend_from_slice(&bytes))
                .is_none()
            {
                let end = all.len().min(given + random.random_range(0..300));
                queue.push(Bytes::copy_from_slice(&all[given..end]));
                given = end;
            }
            assert_eq!(queue.len(), given - taken.len());
            if let Some(head) = queue.peek::<24>() {
                assert_eq!(head, all[taken.len()..taken.len() + 24]);
            }
        }
        assert_eq!(taken, all);
    }
}

#[test]
fn a_digest_knows_the_order_of_its_blocks() {
    let digest = |blocks: &[u8]| {
        let mut digest = DigestBuilder::default();
        blocks.iter().for_each(|byte| digest.block(&[*byte; HEADER_BYTES]));
        digest.finish()
    };
    assert_eq!(digest(&[]), PartitionDigest(0));
    assert_ne!(digest(&[1, 2]), digest(&[2, 1]));
    assert_ne!(digest(&[0]), digest(&[]));
    // SHA-256 of 24 zero bytes starts with 9d908ecfb6b256de.
    assert_eq!(
        digest(&[0]),
        PartitionDigest(u64::from_le_bytes(*b"\x9d\x90\x8e\xcf\xb6\xb2\x56\xde"))
    );
}

fn weigh(column: arrow::array::ArrayRef) -> usize {
    let batch = RecordBatch::try_from_iter([("c", column)]).expect("one column");
    encode(&Wire::new(batch.schema()).expect("types that travel"), &batch).len()
}

#[test]
fn what_compresses_is_compressed_and_what_does_not_is_stored() {
    let mut random = sample::random(7);
    let same = Int64Array::from(vec![7; 8_192]);
    let noise: Int64Array = (0..8_192).map(|_| Some(random.random::<i64>())).collect();
    assert!(weigh(Arc::new(same)) < 2_000);
    let noise = weigh(Arc::new(noise));
    assert!((65_536..66_200).contains(&noise), "{noise}");
}

/// Ten rows out of many weigh what ten rows weigh, whatever they were cut from.
#[test]
fn a_slice_leaves_its_parent_behind() {
    let mut random = sample::random(8);
    for data_type in sample::types() {
        let schema = sample::schema_of(std::slice::from_ref(&data_type));
        let many = sample::batch(&schema, 20_000, &mut random);
        let wire = Wire::new(schema).expect("types that travel");
        let few = encode(&wire, &many.slice(9_000, 10));
        assert!(few.len() < 1_500, "{data_type}: {} bytes", few.len());
        assert_eq!(
            decode(&wire, &few).expect("sound"),
            many.slice(9_000, 10),
            "{data_type}"
        );
    }
}

#[test]
fn a_sliced_list_leaves_its_parents_values_behind() {
    let schema = sample::schema_of(&[DataType::List(Arc::new(arrow::datatypes::Field::new_list_field(
        DataType::Utf8View,
        true,
    )))]);
    let batch = sample::batch(&schema, 20_000, &mut sample::random(9));
    let list = batch.column(0).as_any().downcast_ref::<ListArray>().expect("a list");
    assert!(weigh(Arc::new(list.slice(5, 3))) < 600);
}

#[test]
fn rows_without_columns_keep_their_number() {
    let schema = sample::schema_of(&[]);
    let batch = sample::batch(&schema, 777, &mut sample::random(10));
    let wire = Wire::new(schema).expect("types that travel");
    let decoded = decode(&wire, &encode(&wire, &batch)).expect("sound");
    assert_eq!((decoded.num_rows(), decoded.num_columns()), (777, 0));
}

#[test]
fn a_batch_beyond_the_bound_is_left_to_be_cut() {
    let text = StringArray::from(vec!["x".repeat(5_000); 4]);
    let batch = RecordBatch::try_from_iter([("c", Arc::new(text) as _)]).expect("one column");
    let wire = Wire::new(batch.schema()).expect("types that travel");
    let mut encoder = BlockEncoder::with_bound(10_000);
    assert!(encoder.encode(&wire, &batch).expect("encodes").is_none());
    assert!(encoder.encode(&wire, &batch.slice(0, 1)).expect("encodes").is_some());
}
