//! Writing an output (signatures first).

use crate::ExchangeError;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use mayfly_protocol::{AttemptId, Digest, Nonce, Output, OutputSpec};
use mayfly_store::Store;
use std::path::PathBuf;

/// Bounds of one writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterSettings {
    /// Partitions of the exchange.
    pub partitions: u32,
    /// Rows and blocks held in memory before blocks go to disk.
    pub memory_bytes_max: usize,
    /// Where the one spill file is made, unlinked from the start.
    pub spill_folder: PathBuf,
    /// Length of the spill file.
    pub spill_bytes_max: u64,
}

/// Collects one attempt's output and publishes it as one object.
pub struct Writer {}

impl Writer {
    pub fn new(_schema: SchemaRef, _settings: WriterSettings) -> Result<Writer, ExchangeError> {
        unimplemented!()
    }

    /// Records in the object's footer what the attempt was pinned to, so that the object alone tells what its report told.
    pub fn pin(&mut self, _pin_digest: Digest) {}

    /// Gives a whole batch to one partition. Order within the partition is kept.
    pub fn push(&mut self, _partition: u32, _batch: RecordBatch) -> Result<(), ExchangeError> {
        unimplemented!()
    }

    /// Gives each row to the partition that stands at its index.
    pub fn scatter(&mut self, _batch: &RecordBatch, _partition_of_row: &[u32]) -> Result<(), ExchangeError> {
        unimplemented!()
    }

    /// Bytes held in memory.
    pub fn buffered_bytes(&self) -> usize {
        unimplemented!()
    }

    /// Bytes written to disk so far.
    pub fn spilled_bytes(&self) -> u64 {
        unimplemented!()
    }

    /// Publishes everything, atomically: inline up to the spec's bound, else as one PUT or one multipart upload.
    pub async fn publish(
        self,
        _store: &Store,
        _output: &OutputSpec,
        _nonce: Nonce,
        _attempt: &AttemptId,
    ) -> Result<Output, ExchangeError> {
        unimplemented!()
    }
}
