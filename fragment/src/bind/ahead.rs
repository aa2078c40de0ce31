//! The bytes of the next row groups, asked for while this one is decoded. Without it a scan waits for S3, then computes, then waits again.
//!
//! Which bytes comes from what was asked for last: the same columns, some row groups on; one at first, twice as many with each guess
//! that proved right, since a row group may be decoded in less time than S3 takes to answer. A reader whose guess proves wrong (a filter
//! that was found meanwhile skips row groups) guesses no more. Left out: the requests themselves, see `reader`.

use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of the next row group. What takes more is fetched when it is wanted.
const NEXT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes that wait for one reader when it asks for row groups after the next. S3 answers in 15 ms or more, in which a vCPU decodes four.
const AHEAD_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Row groups that wait for one reader.
const AHEAD_GROUPS_MAX: usize = 8;

pub type Fetched = Result<Vec<Bytes>, ParquetError>;

/// What one reader has asked for ahead.
#[derive(Default)]
pub struct Ahead {
    footer: Option<Arc<ParquetMetaData>>,
    /// How many row groups on.
    reach: usize,
    pending: Vec<Pending>,
}

/// Whole column chunks of one row group.
struct Pending {
    row_group: usize,
    ranges: Vec<Range<u64>>,
    bytes: SpawnedTask<Fetched>,
}

/// Columns of a row group, all of each.
struct Chunks {
    row_group: usize,
    columns: Vec<usize>,
}

impl Ahead {
    /// Guesses from here on, by the footer that the decoder works with.
    pub fn begin(&mut self, footer: Arc<ParquetMetaData>) {
        self.footer = Some(footer);
        self.reach = 1;
    }

    /// The request under way for exactly these ranges, if there is one.
    pub fn take(&mut self, ranges: &[Range<u64>]) -> Option<SpawnedTask<Fetched>> {
        let at = self.pending.iter().position(|pending| pending.ranges == ranges)?;
        self.reach = (self.reach * 2).min(AHEAD_GROUPS_MAX);
        Some(self.pending.swap_remove(at).bytes)
    }

    /// Asks for what should be wanted after these ranges, as far as it is not asked for.
    pub fn guess(&mut self, ranges: &[Range<u64>], mut fetch: impl FnMut(Vec<Range<u64>>) -> SpawnedTask<Fetched>) {
        let Some(footer) = self.footer.clone() else { return };
        let Some(now) = chunks(&footer, ranges) else { return };
        let furthest = now.row_group + self.reach;
        // What waits was passed by, or is left behind by a reader that goes from the last row group to the first.
        let is_wrong = |pending: &Pending| pending.row_group < now.row_group || pending.row_group > furthest;
        if self.pending.iter().any(is_wrong) {
            self.stop();
            return;
        }
        for row_group in now.row_group + 1..=furthest {
            let Some(next) = ranges_of(&footer, row_group, &now.columns) else {
                return;
            };
            if self.pending.iter().any(|pending| pending.ranges == next) {
                continue;
            }
            let is_next = row_group == now.row_group + 1;
            if bytes(&next) + self.waiting() > if is_next { NEXT_BYTES_MAX } else { AHEAD_BYTES_MAX } {
                return;
            }
            self.pending.push(Pending {
                row_group,
                ranges: next.clone(),
                bytes: fetch(next),
            });
        }
    }

    fn waiting(&self) -> u64 {
        self.pending.iter().map(|pending| bytes(&pending.ranges)).sum()
    }

    fn stop(&mut self) {
        self.footer = None;
        self.pending.clear();
    }
}

/// The columns whose chunks the ranges are, in one row group; none if they are anything else, such as single pages.
fn chunks(footer: &ParquetMetaData, ranges: &[Range<u64>]) -> Option<Chunks> {
    let first = ranges.first()?;
    let has_first = |group: usize| column_at(footer, group, first).is_some();
    let row_group = (0..footer.num_row_groups()).find(|group| has_first(*group))?;
    let columns = ranges.iter().map(|range| column_at(footer, row_group, range));
    Some(Chunks {
        row_group,
        columns: columns.collect::<Option<_>>()?,
    })
}

fn column_at(footer: &ParquetMetaData, row_group: usize, range: &Range<u64>) -> Option<usize> {
    let columns = footer.row_group(row_group).columns();
    columns.iter().position(|column| chunk(column.byte_range()) == *range)
}

fn ranges_of(footer: &ParquetMetaData, row_group: usize, columns: &[usize]) -> Option<Vec<Range<u64>>> {
    let group = footer.row_groups().get(row_group)?;
    let ranges = columns.iter().map(|column| chunk(group.column(*column).byte_range()));
    Some(ranges.collect())
}

fn bytes(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

fn chunk((start, length): (u64, u64)) -> Range<u64> {
    start..start + length
}

#[cfg(test)]
mod tests;
