//! What an attempt is pinned to: one digest over what it was told to do and everything that it was told to read.
//!
//! A report counts only if its pins are those of the current winners. Without that, a consumer that read a producer's first
//! output could win beside one that read its second, and a row could be answered twice or never. And what was found of another
//! coordinator's plan for the stage, an alternative that does not count here, could win by having read the same.

use mayfly_protocol::{Digest, InputBinding, ProducerSlice, SliceSource};

/// What a slice of an object takes, about; saves growing.
const SLICE_BYTES: usize = 192;

/// Digest over the stage's plan, over which partitions of which producers are read, and over (key, etag, partition digests) of every
/// slice of every input, in order. Two tasks that find nothing have read nothing, but they are not the same task. Inline slices are
/// pinned by content alone.
pub fn pin_digest(plan: &Digest, inputs: &[InputBinding]) -> Digest {
    let slices: usize = inputs.iter().map(|input| input.slices.len()).sum();
    let mut bytes = Vec::with_capacity(SLICE_BYTES * (slices + 1));
    bytes.extend_from_slice(&plan.0);
    for input in inputs {
        number(&mut bytes, u64::from(input.input));
        number(&mut bytes, u64::from(input.stage.index));
        number(&mut bytes, u64::from(input.stage.generation));
        pin_place(&mut bytes, input);
        number(&mut bytes, input.slices.len() as u64);
        input.slices.iter().for_each(|slice| pin_slice(&mut bytes, slice));
    }
    Digest::of(&bytes)
}

fn pin_place(bytes: &mut Vec<u8>, input: &InputBinding) {
    let InputBinding {
        partitions, producers, ..
    } = input;
    for bound in [partitions.start, partitions.end, producers.start, producers.end] {
        number(bytes, u64::from(bound));
    }
}

fn pin_slice(bytes: &mut Vec<u8>, slice: &ProducerSlice) {
    number(bytes, u64::from(slice.producer.index));
    if mutant!(PinWithoutSlices) {
        return;
    }
    match &slice.source {
        SliceSource::Empty => bytes.push(0),
        SliceSource::Inline { .. } => bytes.push(1),
        SliceSource::Object { .. } if mutant!(PinWithoutKeys) => bytes.push(2),
        SliceSource::Object { key, etag, offset } => {
            bytes.push(2);
            text(bytes, key);
            text(bytes, etag);
            number(bytes, *offset);
        }
    }
    number(bytes, slice.partitions.len() as u64);
    for partition in &slice.partitions {
        number(
            bytes,
            if mutant!(PinWithoutDigests) {
                0
            } else {
                partition.len_bytes
            },
        );
        number(
            bytes,
            if mutant!(PinWithoutDigests) {
                0
            } else {
                partition.digest.0
            },
        );
    }
}

fn number(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}
