//! Writing one attempt's output: rows in, one immutable object out, memory bounded whatever the fan-out.
//!
//! ```text
//! push ────┐   ┌─────────────┐ flush  ┌──────────────────────┐ spill  ┌───────────┐
//! scatter ─┴──▶│ held: rows  │───────▶│ blocks by partition  │───────▶│ one file  │
//!              └─────────────┘        └──────────┬───────────┘        └─────┬─────┘
//!                                        publish └──────────────────────────┴──▶ inline, one PUT, or parts
//! ```

mod blocks;
mod held;
mod publish;
mod size;
mod spill;

use crate::ExchangeError;
use crate::format::block::BlockEncoder;
use crate::format::wire::Wire;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use blocks::Blocks;
use held::Held;
use mayfly_protocol::Digest;
use spill::Spill;
use std::path::PathBuf;

/// Rows of one block.
pub(crate) const BLOCK_ROWS_MAX: usize = 8_192;

/// Uncompressed bytes of one block that a flush aims at, and that a partition is given on average before a flush.
const BLOCK_BYTES_TARGET: usize = 256 * 1024;

/// Bounds of one writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterSettings {
    /// Partitions of the exchange.
    pub partitions: u32,
    /// Rows and blocks held in memory before blocks go to disk. Below about 64 KiB per partition blocks become small.
    pub memory_bytes_max: usize,
    /// Where the one spill file is made, unlinked from the start.
    pub spill_folder: PathBuf,
    /// Length of the spill file.
    pub spill_bytes_max: u64,
}

/// Collects one attempt's output and publishes it as one object.
pub struct Writer {
    wire: Wire,
    encoder: BlockEncoder,
    held: Held,
    blocks: Blocks,
    spill: Spill,
    memory_bytes_max: usize,
    held_bytes_max: usize,
    pin_digest: Option<Digest>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("partitions", &self.blocks.partitions())
            .field("buffered_bytes", &self.buffered_bytes())
            .field("spilled_bytes", &self.spilled_bytes())
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub fn new(schema: SchemaRef, settings: WriterSettings) -> Result<Writer, ExchangeError> {
        let partitions = settings.partitions as usize;
        let enough = partitions.saturating_mul(BLOCK_BYTES_TARGET);
        Ok(Writer {
            wire: Wire::new(schema)?,
            encoder: BlockEncoder::new(),
            held: Held::new(partitions),
            blocks: Blocks::new(partitions),
            spill: Spill::new(settings.spill_folder, settings.spill_bytes_max),
            memory_bytes_max: settings.memory_bytes_max,
            held_bytes_max: enough.min(settings.memory_bytes_max / 2).max(1),
            pin_digest: None,
        })
    }

    /// Records in the object's footer what the attempt was pinned to, so that the object alone tells what its report told.
    pub fn pin(&mut self, pin_digest: Digest) {
        self.pin_digest = Some(pin_digest);
    }

    /// Gives a whole batch to one partition. Order within the partition is kept.
    pub fn push(&mut self, partition: u32, batch: RecordBatch) -> Result<(), ExchangeError> {
        self.check_partition(partition)?;
        for rows in self.pieces(&batch) {
            let piece = self.wire.pack(&batch.slice(rows.start, rows.len()))?;
            self.held.add(piece, [(partition, rows.len())]);
            self.relieve()?;
        }
        Ok(())
    }

    /// Gives each row to the partition that stands at its index. Order within a partition is that of the rows.
    pub fn scatter(&mut self, batch: &RecordBatch, partition_of_row: &[u32]) -> Result<(), ExchangeError> {
        assert_eq!(batch.num_rows(), partition_of_row.len(), "one partition for each row");
        if let Some(largest) = partition_of_row.iter().max() {
            self.check_partition(*largest)?;
        }
        for rows in self.pieces(batch) {
            let piece = self.wire.pack(&batch.slice(rows.start, rows.len()))?;
            let shares = shares(&partition_of_row[rows], self.blocks.partitions());
            let piece = sort(piece, &shares.counts, shares.order).map_err(ExchangeError::Encode)?;
            self.held.add(piece, shares.counts);
            self.relieve()?;
        }
        Ok(())
    }

    /// Bytes held in memory.
    pub fn buffered_bytes(&self) -> usize {
        self.held.bytes() + self.blocks.memory_bytes()
    }

    /// Bytes written to disk so far.
    pub fn spilled_bytes(&self) -> u64 {
        self.spill.bytes()
    }

    fn check_partition(&self, partition: u32) -> Result<(), ExchangeError> {
        let partitions = self.blocks.partitions();
        if partition < partitions {
            Ok(())
        } else {
            Err(ExchangeError::Partition { partition, partitions })
        }
    }

    /// Row ranges that together cover the batch, each small enough to be held.
    fn pieces(&self, batch: &RecordBatch) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let rows = batch.num_rows();
        let count = size::batch_bytes(batch)
            .div_ceil(self.held_bytes_max)
            .clamp(1, rows.max(1));
        let step = rows.div_ceil(count).max(1);
        (0..rows).step_by(step).map(move |start| start..rows.min(start + step))
    }

    /// Turns rows into blocks when enough are held, and sends blocks to disk when memory runs out.
    fn relieve(&mut self) -> Result<(), ExchangeError> {
        if self.held.bytes() >= self.held_bytes_max || self.buffered_bytes() > self.memory_bytes_max {
            self.flush()?;
        }
        if self.blocks.memory_bytes() > self.memory_bytes_max / 2 {
            self.blocks.spill(&mut self.spill)?;
        }
        Ok(())
    }

    /// Encodes all held rows.
    fn flush(&mut self) -> Result<(), ExchangeError> {
        let held = self.held.take();
        for partition in 0..self.blocks.partitions() {
            for rows in held.blocks_of(partition) {
                let batch = held.gather(&self.wire, &rows).map_err(ExchangeError::Encode)?;
                self.encode(partition, &batch)?;
            }
        }
        Ok(())
    }

    /// One block, or as many as it takes.
    fn encode(&mut self, partition: u32, batch: &RecordBatch) -> Result<(), ExchangeError> {
        if let Some(block) = self.encoder.encode(&self.wire, batch)? {
            self.blocks.add(partition, block);
            return Ok(());
        }
        let rows = batch.num_rows();
        if rows <= 1 {
            return Err(ExchangeError::RowTooLarge {
                bytes: size::batch_bytes(batch) as u64,
                bytes_max: self.encoder.raw_bytes_max() as u64,
            });
        }
        self.encode(partition, &batch.slice(0, rows / 2))?;
        self.encode(partition, &batch.slice(rows / 2, rows - rows / 2))
    }
}

/// How the rows of one batch are shared out.
struct Shares {
    /// Partitions that get rows, in order, and how many.
    counts: Vec<(u32, usize)>,
    /// Row indices, partition after partition, in row order within each.
    order: Vec<u32>,
}

/// A counting sort: two passes over the rows, one over the partitions.
fn shares(partition_of_row: &[u32], partitions: u32) -> Shares {
    let mut next = vec![0u32; partitions as usize];
    for partition in partition_of_row {
        next[*partition as usize] += 1;
    }
    let mut counts = Vec::new();
    let mut start = 0;
    for (partition, next) in next.iter_mut().enumerate() {
        let count = std::mem::replace(next, start);
        start += count;
        if count > 0 {
            counts.push((partition as u32, count as usize));
        }
    }
    let mut order = vec![0u32; partition_of_row.len()];
    for (row, partition) in partition_of_row.iter().enumerate() {
        let at = &mut next[*partition as usize];
        order[*at as usize] = row as u32;
        *at += 1;
    }
    Shares { counts, order }
}

/// The batch, partition after partition: one gather while its rows are still in the cache, so that later copies are of whole runs.
fn sort(batch: RecordBatch, counts: &[(u32, usize)], order: Vec<u32>) -> Result<RecordBatch, ArrowError> {
    if counts.len() <= 1 || batch.num_columns() == 0 {
        return Ok(batch);
    }
    take_record_batch(&batch, &UInt32Array::from(order))
}

#[cfg(test)]
mod tests;
