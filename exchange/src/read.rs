//! Reading inputs (signatures first).

use crate::ExchangeError;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::Stream;
use mayfly_protocol::InputBinding;
use mayfly_store::Store;
use std::pin::Pin;

/// Batches of one local partition, in a fixed order.
pub type BatchStream = Pin<Box<dyn Stream<Item = Result<RecordBatch, ExchangeError>> + Send>>;

/// How much one `read` may have under way; shared out among its streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadSettings {
    /// GETs under way at a time; every stream may have at least one.
    pub concurrent_gets_max: usize,
    /// Bytes asked for and not yet consumed; every stream may have at least one GET's worth.
    pub ahead_bytes_max: usize,
}

impl Default for ReadSettings {
    fn default() -> ReadSettings {
        ReadSettings {
            concurrent_gets_max: 16,
            ahead_bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// One stream per local partition: `Partitions` gives `local_partitions` streams over contiguous pieces of the binding's range, `All` one,
/// `Merge` one per producer.
pub fn read(
    _store: &Store,
    _bucket: &str,
    _binding: &InputBinding,
    _schema: SchemaRef,
    _local_partitions: u32,
    _settings: ReadSettings,
) -> Vec<BatchStream> {
    unimplemented!()
}
