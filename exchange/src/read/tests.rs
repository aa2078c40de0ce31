//! Which bytes a stream asks for, and what becomes of bytes that are not what the binding says. Reads of S3 are tested in `tests/it`.

use super::*;
use mayfly_protocol::spec::PartitionSlice;
use mayfly_protocol::{ProducerSlice, SliceSource, StageId, TaskId};
use piece::Place;

fn producer(index: u32, lengths: &[u64]) -> ProducerSlice {
    let stage = StageId::new(1);
    let partition = |len_bytes: &u64| PartitionSlice {
        len_bytes: *len_bytes,
        ..PartitionSlice::default()
    };
    ProducerSlice {
        producer: TaskId { stage, index },
        source: SliceSource::Object {
            key: format!("k{index}").into(),
            etag: "e".into(),
            offset: 1_000,
        },
        partitions: lengths.iter().map(partition).collect(),
    }
}

fn binding(read: InputRead, slices: Vec<ProducerSlice>) -> InputBinding {
    InputBinding {
        input: 0,
        stage: StageId::new(1),
        read,
        partitions: PartitionRange::new(8, 8 + slices[0].partitions.len() as u32),
        producers: PartitionRange::new(0, slices.len() as u32),
        slices,
    }
}

/// `k0 1000..1010`, stream by stream.
fn ranges(binding: &InputBinding, local_partitions: u32) -> Vec<String> {
    let text = |piece: &Piece| match &piece.place {
        Place::Object { key, range, .. } => format!("{key} {range:?}"),
        Place::Inline(bytes) => format!("inline {}", bytes.len()),
    };
    let streams = pieces(binding, local_partitions).into_iter();
    let streams = streams.map(|pieces| pieces.expect("fits").iter().map(text).collect::<Vec<_>>().join(", "));
    streams.collect()
}

#[test]
fn each_stream_asks_each_producer_for_one_range() {
    let slices = || vec![producer(0, &[10, 0, 20, 5]), producer(1, &[1, 2, 3, 4])];
    let partitions = binding(InputRead::Partitions, slices());
    assert_eq!(ranges(&partitions, 1), ["k0 1000..1035, k1 1000..1010"]);
    assert_eq!(
        ranges(&partitions, 2),
        ["k0 1000..1010, k1 1000..1003", "k0 1010..1035, k1 1003..1010"]
    );
    assert_eq!(
        ranges(&partitions, 3),
        [
            "k0 1000..1010, k1 1000..1001",
            "k0 1010..1010, k1 1001..1003",
            "k0 1010..1035, k1 1003..1010"
        ]
    );
    assert_eq!(
        ranges(&partitions, 16).len(),
        16,
        "more streams than partitions: some read nothing"
    );
    assert_eq!(
        ranges(&binding(InputRead::All, slices()), 4),
        ["k0 1000..1035, k1 1000..1010"]
    );
    assert_eq!(
        ranges(&binding(InputRead::Merge, slices()), 4),
        ["k0 1000..1035", "k1 1000..1010"]
    );
}

#[test]
fn an_empty_slice_may_leave_out_its_zeros() {
    let empty = ProducerSlice {
        source: SliceSource::Empty,
        partitions: Vec::new(),
        ..producer(1, &[])
    };
    let binding = binding(InputRead::Partitions, vec![producer(0, &[4, 4]), empty]);
    assert_eq!(
        ranges(&binding, 2),
        ["k0 1000..1004, inline 0", "k0 1004..1008, inline 0"]
    );
}

#[test]
fn a_binding_that_does_not_fit_is_an_error_and_no_panic() {
    let short = ProducerSlice {
        source: SliceSource::Inline { bytes: vec![0; 3] },
        ..producer(1, &[4, 4])
    };
    for slice in [short, producer(1, &[4])] {
        let binding = binding(InputRead::Partitions, vec![producer(0, &[4, 4]), slice]);
        assert!(pieces(&binding, 1)[0].is_err());
    }
}
