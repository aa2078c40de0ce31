//! Rows that wait to become blocks: whole batches, each sorted by partition, and which run of which batch belongs to whom.

use super::{BLOCK_BYTES_TARGET, BLOCK_ROWS_MAX, size};
use crate::format::wire::Wire;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{concat_batches, interleave};
use arrow::error::ArrowError;
use std::sync::Arc;

/// Runs at least this long on average are copied run by run, shorter ones row by row.
const RUN_ROWS_LONG: usize = 64;

/// Some adjacent rows of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    batch: u32,
    start: u32,
    len: u32,
}

#[derive(Debug)]
pub(super) struct Held {
    batches: Vec<RecordBatch>,
    /// Of each partition, in the order of arrival.
    runs: Vec<Vec<Run>>,
    rows: usize,
    bytes: usize,
}

impl Held {
    pub(super) fn new(partitions: usize) -> Held {
        Held {
            batches: Vec::new(),
            runs: vec![Vec::new(); partitions],
            rows: 0,
            bytes: 0,
        }
    }

    /// Bytes of the rows and of what says whose they are.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps a batch whose rows lie partition after partition, in the given shares.
    pub(super) fn add(&mut self, batch: RecordBatch, shares: impl IntoIterator<Item = (u32, usize)>) {
        let ordinal = self.batches.len() as u32;
        let mut start = 0;
        for (partition, len) in shares {
            self.runs[partition as usize].push(Run {
                batch: ordinal,
                start,
                len: len as u32,
            });
            start += len as u32;
            self.bytes += size_of::<Run>();
        }
        assert_eq!(start as usize, batch.num_rows(), "every row belongs to a partition");
        self.rows += batch.num_rows();
        self.bytes += size::batch_bytes(&batch);
        self.batches.push(batch);
    }

    /// Everything, leaving nothing.
    pub(super) fn take(&mut self) -> Held {
        let partitions = self.runs.len();
        std::mem::replace(self, Held::new(partitions))
    }

    /// The partition's runs, cut into blocks.
    pub(super) fn blocks_of(&self, partition: u32) -> Vec<Vec<Run>> {
        let row_bytes = (self.bytes / self.rows.max(1)).max(1);
        let rows_max = (2 * BLOCK_BYTES_TARGET / row_bytes).clamp(1, BLOCK_ROWS_MAX);
        let mut blocks = vec![Vec::new()];
        let mut room = rows_max as u32;
        for run in &self.runs[partition as usize] {
            let mut run = *run;
            while run.len > 0 {
                if room == 0 {
                    blocks.push(Vec::new());
                    room = rows_max as u32;
                }
                let len = run.len.min(room);
                blocks.last_mut().expect("never empty").push(Run { len, ..run });
                (run.start, run.len, room) = (run.start + len, run.len - len, room - len);
            }
        }
        blocks.retain(|block| !block.is_empty());
        blocks
    }

    /// The rows of the runs as one batch.
    pub(super) fn gather(&self, wire: &Wire, runs: &[Run]) -> Result<RecordBatch, ArrowError> {
        let rows: usize = runs.iter().map(|run| run.len as usize).sum();
        let long = rows / runs.len().max(1) >= RUN_ROWS_LONG;
        if long || wire.wire_schema().fields().is_empty() {
            self.concatenate(wire, runs)
        } else {
            self.interleave(wire, runs, rows)
        }
    }

    fn concatenate(&self, wire: &Wire, runs: &[Run]) -> Result<RecordBatch, ArrowError> {
        let slice = |run: &Run| self.batches[run.batch as usize].slice(run.start as usize, run.len as usize);
        match runs {
            [run] => Ok(slice(run)),
            runs => {
                let slices: Vec<RecordBatch> = runs.iter().map(slice).collect();
                concat_batches(wire.wire_schema(), &slices)
            }
        }
    }

    /// Row by row, out of only the batches that the runs name.
    fn interleave(&self, wire: &Wire, runs: &[Run], rows: usize) -> Result<RecordBatch, ArrowError> {
        let mut indices = Vec::with_capacity(rows);
        for (source, run) in runs.iter().enumerate() {
            indices.extend((run.start..run.start + run.len).map(|row| (source, row as usize)));
        }
        let column = |at: usize| -> Result<ArrayRef, ArrowError> {
            let sources = runs
                .iter()
                .map(|run| self.batches[run.batch as usize].column(at).as_ref());
            interleave(&sources.collect::<Vec<&dyn Array>>(), &indices)
        };
        let columns = (0..wire.wire_schema().fields().len()).map(column);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(wire.wire_schema());
        RecordBatch::try_new_with_options(schema, columns.collect::<Result<_, _>>()?, &options)
    }
}
