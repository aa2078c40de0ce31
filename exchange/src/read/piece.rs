//! A piece: adjacent partitions of one producer, as bound. It knows where its bytes are and turns them into verified rows.

use crate::ExchangeError;
use crate::format::FormatError;
use crate::format::block::{self, BlockHeader, HEADER_BYTES};
use crate::format::digest::DigestBuilder;
use crate::format::queue::ByteQueue;
use crate::format::wire::Wire;
use arrow::array::RecordBatch;
use bytes::Bytes;
use mayfly_protocol::spec::PartitionSlice;
use mayfly_protocol::{ProducerSlice, SliceSource, TaskId};
use mayfly_store::StoreError;
use std::collections::VecDeque;
use std::ops::Range;

/// Where a piece's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Object {
        key: String,
        etag: String,
        range: Range<u64>,
    },
    Inline(Bytes),
}

/// What one stream reads of one producer.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) producer: TaskId,
    pub(super) place: Place,
    partitions: Vec<PartitionSlice>,
}

impl Piece {
    /// Some partitions of a slice, counted from its first.
    pub(super) fn cut(slice: &ProducerSlice, part: Range<usize>) -> Result<Piece, ExchangeError> {
        let sum = |some: &[PartitionSlice]| some.iter().map(|partition| partition.len_bytes).sum::<u64>();
        let partitions = match &slice.source {
            // An empty slice may leave out its zeros.
            SliceSource::Empty if slice.partitions.is_empty() => Vec::new(),
            _ => slice
                .partitions
                .get(part.clone())
                .ok_or_else(|| malformed(slice))?
                .to_vec(),
        };
        let start = sum(&slice.partitions[..part.start.min(slice.partitions.len())]);
        let end = start + sum(&partitions);
        let place = match &slice.source {
            SliceSource::Object { key, etag, offset } => Place::Object {
                key: key.to_string(),
                etag: etag.to_string(),
                range: offset + start..offset + end,
            },
            SliceSource::Inline { bytes } => {
                let bytes = bytes.get(start as usize..end as usize);
                Place::Inline(Bytes::copy_from_slice(bytes.ok_or_else(|| malformed(slice))?))
            }
            SliceSource::Empty if start == end => Place::Inline(Bytes::new()),
            SliceSource::Empty => return Err(malformed(slice)),
        };
        Ok(Piece {
            producer: slice.producer,
            place,
            partitions,
        })
    }

    pub(super) fn len_bytes(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.len_bytes).sum()
    }

    pub(super) fn rows(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.rows).sum()
    }

    pub(super) fn key(&self) -> String {
        match &self.place {
            Place::Object { key, .. } => key.clone(),
            Place::Inline(_) => "(inline)".to_owned(),
        }
    }

    /// A failed read of this piece: either its producer's fault or S3's.
    pub(super) fn unreadable(&self, source: StoreError) -> ExchangeError {
        let (producer, key) = (self.producer, self.key());
        match source {
            StoreError::NotFound { .. } | StoreError::NoBucket { .. } | StoreError::Changed { .. } => {
                ExchangeError::Lost { producer, key, source }
            }
            StoreError::Corrupt { message, .. } => ExchangeError::Corrupt { producer, key, message },
            other => ExchangeError::Store(other),
        }
    }

    fn corrupt(&self, error: FormatError) -> ExchangeError {
        match error {
            FormatError::Damaged(message) => ExchangeError::Corrupt {
                producer: self.producer,
                key: self.key(),
                message,
            },
            FormatError::Columns => ExchangeError::Schema {
                message: format!("{} wrote {error}", self.producer),
            },
        }
    }
}

fn malformed(slice: &ProducerSlice) -> ExchangeError {
    ExchangeError::Schema {
        message: format!("the binding of {} does not fit its partitions", slice.producer),
    }
}

/// A piece half read.
pub(super) struct Decoder {
    piece: Piece,
    queue: ByteQueue,
    /// Partitions not yet finished; the first is under way.
    left: VecDeque<PartitionSlice>,
    read_bytes: u64,
    read_rows: u64,
    digest: DigestBuilder,
    /// Bytes of finished partitions.
    finished_bytes: u64,
    fed_bytes: u64,
    is_reread: bool,
}

/// What a decoder has to say.
pub(super) enum Step {
    /// Rows, in wire types.
    Batch(RecordBatch),
    /// More bytes are needed.
    Hungry,
    /// Every partition is read and is what the binding said.
    Done,
}

impl Decoder {
    pub(super) fn new(piece: Piece) -> Decoder {
        Decoder {
            left: piece.partitions.iter().copied().collect(),
            piece,
            queue: ByteQueue::default(),
            read_bytes: 0,
            read_rows: 0,
            digest: DigestBuilder::default(),
            finished_bytes: 0,
            fed_bytes: 0,
            is_reread: false,
        }
    }

    pub(super) fn feed(&mut self, bytes: Bytes) {
        self.fed_bytes += bytes.len() as u64;
        self.queue.push(bytes);
    }

    /// After a block that was damaged: the piece from that block on, to be read once more, since what was damaged may be the answer and not
    /// the object. None the second time, and where there is no object.
    pub(super) fn rest(&self) -> Option<Piece> {
        let Place::Object { key, etag, range } = &self.piece.place else {
            return None;
        };
        let start = range.start + self.finished_bytes + self.read_bytes;
        let place = Place::Object {
            key: key.clone(),
            etag: etag.clone(),
            range: start..range.end,
        };
        (!self.is_reread).then(|| Piece {
            place,
            ..self.piece.clone()
        })
    }

    /// Bytes of the piece that were asked for and have not been fed.
    pub(super) fn outstanding_bytes(&self) -> u64 {
        self.piece.len_bytes() - self.fed_bytes
    }

    /// What is fed from here on is the [`rest`](Decoder::rest).
    pub(super) fn reread(&mut self) {
        self.queue = ByteQueue::default();
        self.fed_bytes = self.finished_bytes + self.read_bytes;
        self.is_reread = true;
    }

    pub(super) fn step(&mut self, wire: &Wire) -> Result<Step, ExchangeError> {
        self.advance(wire).map_err(|error| self.piece.corrupt(error))
    }

    fn advance(&mut self, wire: &Wire) -> Result<Step, FormatError> {
        while let Some(partition) = self.left.front().copied() {
            if self.read_bytes == partition.len_bytes {
                self.finish(partition)?;
            } else {
                return self.block(partition, wire);
            }
        }
        Ok(Step::Done)
    }

    fn block(&mut self, partition: PartitionSlice, wire: &Wire) -> Result<Step, FormatError> {
        let Some(header) = self.queue.peek::<HEADER_BYTES>() else {
            return Ok(Step::Hungry);
        };
        let header = BlockHeader::parse(header)?;
        let block_len = header.block_len();
        if block_len as u64 > partition.len_bytes - self.read_bytes {
            return Err(FormatError::Damaged("a block longer than its partition".to_owned()));
        }
        let Some(block) = self.queue.take(block_len) else {
            return Ok(Step::Hungry);
        };
        let batch = block::decode(&header, &block[HEADER_BYTES..], wire)?;
        self.digest.block(header.bytes());
        self.read_bytes += block_len as u64;
        self.read_rows += u64::from(header.rows);
        Ok(Step::Batch(batch))
    }

    /// What was read must be what the producer reported.
    fn finish(&mut self, partition: PartitionSlice) -> Result<(), FormatError> {
        let digest = self.digest.finish();
        if self.read_rows != partition.rows || digest != partition.digest {
            let (rows, expected) = (self.read_rows, partition);
            return Err(FormatError::Damaged(format!(
                "{rows} rows with digest {digest} instead of {} with {}",
                expected.rows, expected.digest
            )));
        }
        self.left.pop_front();
        self.finished_bytes += self.read_bytes;
        (self.read_bytes, self.read_rows, self.digest) = (0, 0, DigestBuilder::default());
        Ok(())
    }

    /// The bytes ended while more were needed.
    pub(super) fn starved(&self) -> ExchangeError {
        let message = format!("{} bytes before its end", self.queue.len());
        self.piece.corrupt(FormatError::Damaged(message))
    }
}
