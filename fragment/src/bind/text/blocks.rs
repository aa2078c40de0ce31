//! A split's bytes as blocks of whole records: those that begin in its range, and no other.

use super::failure::{Failed, Place};
use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use futures::StreamExt;
use futures::stream::BoxStream;
use mayfly_files::text::Records;

/// Bytes of a block, about: some thousand rows.
const BLOCK_BYTES: usize = 1 << 20;

/// Longest record. A file without line ends would take all memory.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// Whole records, one after another.
#[derive(Debug)]
pub struct Block {
    pub text: Vec<u8>,
    /// Where it stands.
    pub place: Place,
}

/// What is still to come of a split.
pub struct Blocks {
    bytes: BoxStream<'static, Result<Bytes>>,
    records: Records,
    buffer: Vec<u8>,
    /// Bytes of the buffer that the records were looked for in.
    seen: usize,
    /// Where the last whole record in them ends.
    whole: usize,
    place: Place,
    /// Where the split ends: records that begin there are not its own. None where the file does.
    end: Option<u64>,
    has_ended: bool,
    again: Option<Block>,
}

impl Blocks {
    /// `bytes` begin at `place`, which is the beginning of a record.
    pub fn new(bytes: BoxStream<'static, Result<Bytes>>, records: Records, place: Place, end: Option<u64>) -> Blocks {
        Blocks {
            bytes,
            records,
            buffer: Vec::new(),
            seen: 0,
            whole: 0,
            place,
            end,
            has_ended: false,
            again: None,
        }
    }

    /// Passes over what belongs to the record before.
    pub async fn skip_line(&mut self) -> Result<()> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                self.place = self.place.behind(&self.buffer[..=at]);
                self.buffer.drain(..=at);
                return Ok(());
            }
            self.place.offset += self.buffer.len() as u64;
            self.buffer.clear();
            if !self.fill().await? {
                return Ok(());
            }
        }
    }

    /// The next records, or none if there are no more.
    pub async fn next(&mut self) -> Result<Option<Block>> {
        if let Some(block) = self.again.take() {
            return Ok(Some(block));
        }
        loop {
            if self.has_begun_all() {
                return Ok(self.take(self.whole));
            }
            self.look();
            if self.has_begun_all() || self.whole >= BLOCK_BYTES {
                return Ok(self.take(self.whole));
            }
            if self.buffer.len() - self.whole > RECORD_BYTES_MAX {
                return Err(self.too_long());
            }
            if !self.fill().await? {
                self.has_ended = true;
                return Ok(self.take(self.buffer.len()));
            }
        }
    }

    /// What is left of a block that was looked at; its beginning was enough.
    pub fn put_back(&mut self, block: Block, from: usize) {
        let rest = block.text[from..].to_vec();
        let place = block.place.behind(&block.text[..from]);
        self.again = (!rest.is_empty()).then_some(Block { text: rest, place });
    }

    /// Whether the next record is another split's, or there is none.
    fn has_begun_all(&self) -> bool {
        let next = self.place.offset + self.whole as u64;
        self.has_ended || self.end.is_some_and(|end| next >= end)
    }

    /// Looks for records in the bytes that are new, up to the first that begins behind the split.
    fn look(&mut self) {
        let own = self.end.map_or(usize::MAX, |end| {
            usize::try_from(end - self.place.offset).unwrap_or(usize::MAX)
        });
        let stop = self.buffer.len().min(own);
        if self.seen < stop {
            if let Some(end) = self.records.last_end(&self.buffer[self.seen..stop]) {
                self.whole = self.seen + end;
            }
            self.seen = stop;
        }
        if self.whole < own && self.seen < self.buffer.len() {
            if let Some(end) = self.records.end(&self.buffer[self.seen..]) {
                self.whole = self.seen + end;
            }
            self.seen = self.buffer.len();
        }
    }

    fn take(&mut self, length: usize) -> Option<Block> {
        if length == 0 {
            return None;
        }
        let rest = self.buffer.split_off(length);
        let text = std::mem::replace(&mut self.buffer, rest);
        let place = self.place;
        self.place = place.behind(&text);
        self.seen -= length.min(self.seen);
        self.whole = 0;
        Some(Block { text, place })
    }

    /// Whether there were more bytes.
    async fn fill(&mut self) -> Result<bool> {
        match self.bytes.next().await.transpose()? {
            Some(bytes) => {
                self.buffer.extend_from_slice(&bytes);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn too_long(&self) -> DataFusionError {
        Failed {
            place: self.place.behind(&self.buffer[..self.whole]),
            column: None,
            why: format!("a record of more than {RECORD_BYTES_MAX} bytes"),
        }
        .into()
    }
}

#[cfg(test)]
mod tests;
