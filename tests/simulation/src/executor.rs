//! A modelled executor: reads what its spec names from the modelled bucket, verifies every byte of it, and publishes.

use crate::content::{self, Nature, ReadDigest};
use crate::coordinator::Address;
use mayfly_protocol::{
    EpochMs, Failure, Meter, Nonce, Output, OutputLocation, PartitionEntry, ProducerSlice, S3Meter, SliceSource,
    TaskReport, TaskSpec, TaskStatistics,
};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Objects by key.
pub(crate) type Bucket = BTreeMap<Arc<str>, Stored>;

/// An object: its footer is its report.
#[derive(Debug)]
pub(crate) struct Stored {
    pub footer: Rc<TaskReport>,
    /// Its rows cannot be read.
    pub is_damaged: bool,
}

/// One execution of an attempt. The same attempt can be executed twice.
#[derive(Debug)]
pub(crate) struct Execution {
    pub spec: Rc<TaskSpec>,
    /// Who waits for the answer.
    pub to: Address,
    pub nonce: Nonce,
    pub nature: Nature,
    pub cold: bool,
    pub begun: EpochMs,
    /// The second execution of an attempt that was delivered twice.
    pub again: bool,
}

/// What an executor finds.
pub(crate) enum Reading {
    Whole(ReadDigest),
    Lost(Failure),
    /// The spec asks for what nobody published: the scheduler is wrong.
    Wrong(String),
}

impl Execution {
    /// Reads all inputs.
    pub fn read(&self, bucket: &Bucket) -> Reading {
        let mut digest = ReadDigest::new();
        for input in &self.spec.inputs {
            for slice in &input.slices {
                match verify(slice, input.partitions.start, bucket) {
                    Ok(()) => {}
                    Err(Mismatch::Missing(failure)) => return Reading::Lost(failure),
                    Err(Mismatch::Wrong(what)) => return Reading::Wrong(format!("{}: {what}", self.spec.attempt)),
                }
                for partition in &slice.partitions {
                    let entry = PartitionEntry {
                        len_bytes: partition.len_bytes,
                        rows: partition.rows,
                        digest: partition.digest,
                    };
                    digest.read(input.input, slice.producer, &entry);
                }
            }
        }
        Reading::Whole(digest)
    }

    /// Publishes: inline if the output is small enough, else as an object of its own.
    pub fn publish(&self, read: ReadDigest, run_ms: u64) -> TaskReport {
        let spec = &self.spec;
        let variant = if self.nature.nondeterministic { self.nonce.0 } else { 0 };
        let task = spec.attempt.task;
        let partitions = content::partitions(&self.nature, task, read, spec.output.partitions, variant);
        let len: u64 = partitions.iter().map(|entry| entry.len_bytes).sum();
        let location = match len <= spec.output.inline_bytes_max {
            true => OutputLocation::Inline {
                bytes: content::bytes(partitions.iter().map(|entry| (entry.len_bytes, entry.digest))),
            },
            false => OutputLocation::Object {
                key: format!("{}{}", spec.output.key_prefix, self.nonce).into(),
                etag: format!("{:x}", self.nonce.0).into(),
                size_bytes: len + 64,
                data_offset: 16 + self.nonce.0 % 16,
            },
        };
        let output = Output { location, partitions };
        TaskReport {
            attempt: spec.attempt.clone(),
            nonce: self.nonce,
            pin_digest: spec.pin_digest,
            // Executors count their requests; what a run costs they do not know.
            meter: Meter {
                s3: self.meter(run_ms, Some(&output)).s3,
                ..Meter::default()
            },
            output,
            statistics: TaskStatistics::default(),
        }
    }

    /// Bill of a run: what the platform charges, and a GET for each object slice and a PUT for an object.
    pub fn meter(&self, billed_ms: u64, published: Option<&Output>) -> Meter {
        let slices = self.spec.inputs.iter().flat_map(|input| &input.slices);
        let gets = slices.filter(|slice| matches!(slice.source, SliceSource::Object { .. }));
        let is_object = |output: &Output| matches!(output.location, OutputLocation::Object { .. });
        Meter {
            invocations: 1,
            cold_starts: u64::from(self.cold),
            billed_ms,
            billed_mb_ms: billed_ms * u64::from(self.spec.size.memory_mb()),
            s3: S3Meter {
                gets: gets.count() as u64,
                puts: u64::from(published.is_some_and(is_object)),
                ..S3Meter::default()
            },
            ..Meter::default()
        }
    }
}

enum Mismatch {
    Missing(Failure),
    Wrong(String),
}

/// Compares a slice with the object, or with the bytes, that it is cut from.
fn verify(slice: &ProducerSlice, start: u32, bucket: &Bucket) -> Result<(), Mismatch> {
    let wrong = |what: &str| Err(Mismatch::Wrong(format!("{what}: {slice:?}")));
    match &slice.source {
        SliceSource::Empty if slice.rows() > 0 => wrong("an empty slice has rows"),
        SliceSource::Empty => Ok(()),
        SliceSource::Inline { bytes } => {
            let expected = slice.partitions.iter().map(|part| (part.len_bytes, part.digest));
            match content::are_bytes(bytes, expected) {
                true => Ok(()),
                false => wrong("inline bytes of other partitions"),
            }
        }
        SliceSource::Object { key, etag, offset } => {
            let Some(object) = bucket.get(key).filter(|stored| !stored.is_damaged) else {
                return Err(Mismatch::Missing(Failure::InputLost {
                    producer: slice.producer,
                    key: key.to_string(),
                    message: "no such key, or not what it was".to_owned(),
                }));
            };
            match is_slice_of(slice, etag, *offset, start, &object.footer.output) {
                true => Ok(()),
                false => wrong("not what its object holds"),
            }
        }
    }
}

fn is_slice_of(slice: &ProducerSlice, etag: &str, offset: u64, start: u32, object: &Output) -> bool {
    let OutputLocation::Object {
        etag: version,
        data_offset,
        ..
    } = &object.location
    else {
        return false;
    };
    let (before, rest) = object.partitions.split_at(start as usize);
    let before: u64 = before.iter().map(|entry| entry.len_bytes).sum();
    let parts = slice.partitions.iter().zip(rest);
    let same = parts
        .clone()
        .all(|(part, entry)| (part.len_bytes, part.rows, part.digest) == (entry.len_bytes, entry.rows, entry.digest));
    same && parts.count() == slice.partitions.len() && *etag == **version && offset == data_offset + before
}
