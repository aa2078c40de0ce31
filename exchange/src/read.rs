//! Reading inputs: which bytes of which objects, fetched ahead, verified, decoded. Order is fixed: producers as bound, partitions in order,
//! blocks as written; so two runs over the same inputs see the same batches.

mod coalesce;
mod fetch;
mod piece;

use crate::ExchangeError;
use crate::format::wire::Wire;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use fetch::Lane;
use futures::{Stream, StreamExt};
use mayfly_protocol::{InputBinding, InputRead, PartitionRange};
use mayfly_store::Store;
use piece::Piece;
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
/// `Merge` one per producer. Each stream sends at most one ranged GET per producer, except that long ranges are cut for parallelism.
/// Nothing is asked for before a stream is polled, and a dropped stream takes its requests along.
pub fn read(
    store: &Store,
    bucket: &str,
    binding: &InputBinding,
    schema: SchemaRef,
    local_partitions: u32,
    settings: ReadSettings,
) -> Vec<BatchStream> {
    let streams = pieces(binding, local_partitions);
    let lane = Lane::new(store, bucket, settings, streams.len());
    let wire = Wire::new(schema);
    let open = |pieces: Result<Vec<Piece>, ExchangeError>| match (&wire, pieces) {
        (Ok(wire), Ok(pieces)) => coalesce::batches(lane.clone(), pieces, wire.clone()),
        (Err(error), _) => failed(ExchangeError::Schema {
            message: error.to_string(),
        }),
        (_, Err(error)) => failed(error),
    };
    streams.into_iter().map(open).collect()
}

fn failed(error: ExchangeError) -> BatchStream {
    futures::stream::once(async { Err(error) }).boxed()
}

/// What each stream reads, in order.
fn pieces(binding: &InputBinding, local_partitions: u32) -> Vec<Result<Vec<Piece>, ExchangeError>> {
    let all = 0..binding.partitions.len() as usize;
    let slices = &binding.slices;
    match binding.read {
        InputRead::All => vec![slices.iter().map(|slice| Piece::cut(slice, all.clone())).collect()],
        InputRead::Merge => slices
            .iter()
            .map(|slice| Ok(vec![Piece::cut(slice, all.clone())?]))
            .collect(),
        InputRead::Partitions => {
            let parts = local_partitions.max(1);
            let range = PartitionRange::new(0, binding.partitions.len());
            let local = |nth| {
                let part = range.piece(nth, parts);
                let part = part.start as usize..part.end as usize;
                slices.iter().map(|slice| Piece::cut(slice, part.clone())).collect()
            };
            (0..parts).map(local).collect()
        }
    }
}

#[cfg(test)]
mod tests;
