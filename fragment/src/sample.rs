//! A sample of a table: which rows, or which blocks of them, are read. A hash of a seed, of the file's key and of the place in the file
//! decides, so that a sample is the same for every task, attempt and query that draws with that seed.

use crate::function::seeded::{double, mixed};
use mayfly_protocol::Split;

/// Bytes of text that are drawn together in a sample by blocks.
const TEXT_BLOCK_BYTES: u64 = 1 << 20;

/// What is drawn by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleUnit {
    /// TABLESAMPLE BERNOULLI.
    Row,
    /// TABLESAMPLE SYSTEM: a row group of Parquet, or so many bytes of text.
    Block,
}

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub unit: SampleUnit,
    /// The chance of each unit, from 0 to 1.
    pub share: f64,
    pub seed: u64,
}

/// How to draw from one file.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    sample: Sample,
    hash: u64,
}

impl Sample {
    pub fn of_file(self, split: &Split) -> Draw {
        let hash = split
            .key
            .bytes()
            .fold(mixed(self.seed), |hash, byte| mixed(hash ^ u64::from(byte)));
        Draw { sample: self, hash }
    }
}

impl Draw {
    /// Whether a row of Parquet is read, by the numbers of its row group and of itself in the file.
    pub fn takes_row(&self, group: u64, row: u64) -> bool {
        self.takes(match self.sample.unit {
            SampleUnit::Row => row,
            SampleUnit::Block => group,
        })
    }

    /// Whether a record of text is read, by the byte at which it begins.
    pub fn takes_record(&self, offset: u64) -> bool {
        self.takes(match self.sample.unit {
            SampleUnit::Row => offset,
            SampleUnit::Block => offset / TEXT_BLOCK_BYTES,
        })
    }

    fn takes(&self, place: u64) -> bool {
        double(mixed(self.hash.wrapping_add(place))) < self.sample.share
    }
}

#[cfg(test)]
mod tests;
