//! Reading a query's result page by page: outputs one after another, memory bounded, any place readable again.

use crate::ExchangeError;
use crate::format::FormatError;
use crate::format::block::{self, BlockHeader, HEADER_BYTES};
use crate::format::wire::Wire;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use mayfly_protocol::{Output, OutputLocation};
use mayfly_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// What one GET fetches, unless a single block is longer.
const GET_BYTES: u64 = 4 * 1024 * 1024;

/// Times that a block is asked for before its object counts as damaged: what was damaged may be the answer.
const READS_MAX: u32 = 3;

/// A place in a result: between two rows. The default is its beginning. Whoever keeps an earlier one reads the same rows again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Ordinal of the output.
    pub output: u32,
    /// Offset of a block within the output's data.
    pub offset: u64,
    /// Rows of that block that lie before the place.
    pub row: u32,
}

impl Position {
    /// The place behind the first `rows` rows of the batch that [`ResultReader::next_batch`] returns here.
    pub fn skip(self, rows: u32) -> Position {
        Position {
            row: self.row.saturating_add(rows),
            ..self
        }
    }
}

/// Reads result outputs one after another. Holds one GET's worth of bytes.
#[derive(Debug)]
pub struct ResultReader {
    store: Store,
    bucket: String,
    outputs: Vec<Output>,
    schema: SchemaRef,
    window: Mutex<Option<Window>>,
}

/// The bytes fetched last.
#[derive(Debug)]
struct Window {
    output: u32,
    start: u64,
    bytes: Bytes,
}

impl Window {
    /// What the window holds from the offset on, if it holds that many bytes.
    fn slice(&self, output: u32, offset: u64, len_bytes: u64) -> Option<Bytes> {
        let start = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let end = start.checked_add(len_bytes as usize)?;
        (self.output == output && end <= self.bytes.len()).then(|| self.bytes.slice(start..end))
    }
}

impl ResultReader {
    /// The outputs of the result's tasks, in the order in which clients see them.
    pub fn new(store: Store, bucket: String, outputs: Vec<Output>, schema: SchemaRef) -> ResultReader {
        ResultReader {
            store,
            bucket,
            outputs,
            schema,
            window: Mutex::new(None),
        }
    }

    /// Rows of the whole result.
    pub fn rows(&self) -> u64 {
        self.outputs.iter().map(Output::rows).sum()
    }

    /// The rows from the place to the end of its block; moves the place behind them. `None` at the end.
    pub async fn next_batch(&self, at: &mut Position) -> Result<Option<RecordBatch>, ExchangeError> {
        while let Some(output) = self.outputs.get(at.output as usize) {
            if at.offset >= output.len_bytes() {
                *at = Position {
                    output: at.output + 1,
                    ..Position::default()
                };
                continue;
            }
            let (batch, block_len) = self.sound_block(output, *at).await?;
            let rows = (batch.num_rows() as u32).saturating_sub(at.row) as usize;
            let batch = batch.slice(batch.num_rows() - rows, rows);
            *at = Position {
                offset: at.offset + block_len,
                row: 0,
                ..*at
            };
            if rows > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// The block at the place, asked for again if what came is damaged.
    async fn sound_block(&self, output: &Output, at: Position) -> Result<(RecordBatch, u64), ExchangeError> {
        let mut reads = 1;
        loop {
            match self.block(output, at).await {
                Err(ExchangeError::ResultCorrupt { key, message }) if reads < READS_MAX => {
                    tracing::warn!(key, message, "a damaged block of a result is asked for again");
                    *self.window.lock().await = None;
                    reads += 1;
                }
                other => return other,
            }
        }
    }

    /// The block at the place, and its length.
    async fn block(&self, output: &Output, at: Position) -> Result<(RecordBatch, u64), ExchangeError> {
        let corrupt = |error: FormatError| corrupt(output, error);
        let header = self.bytes(output, at, HEADER_BYTES as u64).await?;
        let header = header.as_ref().try_into().expect("as long as was asked for");
        let header = BlockHeader::parse(header).map_err(corrupt)?;
        let block_len = header.block_len() as u64;
        let block = self.bytes(output, at, block_len).await?;
        let wire = Wire::new(SchemaRef::clone(&self.schema))?;
        let batch = block::decode(&header, &block[HEADER_BYTES..], &wire).map_err(corrupt)?;
        let batch = wire.unpack(&batch).map_err(corrupt)?;
        Ok((batch, block_len))
    }

    /// Exactly `len_bytes` from the place on; fetches further than that, since the next block is wanted next.
    async fn bytes(&self, output: &Output, at: Position, len_bytes: u64) -> Result<Bytes, ExchangeError> {
        let left = output.len_bytes() - at.offset;
        if len_bytes > left {
            let message = format!("a block of {len_bytes} bytes where {left} are left");
            return Err(corrupt(output, FormatError::Damaged(message)));
        }
        let (key, etag, data_offset) = match &output.location {
            OutputLocation::Inline { bytes } => return inline(output, bytes, at.offset, len_bytes),
            OutputLocation::Object {
                key, etag, data_offset, ..
            } => (key, etag, data_offset),
        };
        let mut window = self.window.lock().await;
        if let Some(bytes) = window
            .as_ref()
            .and_then(|held| held.slice(at.output, at.offset, len_bytes))
        {
            return Ok(bytes);
        }
        let start = data_offset + at.offset;
        let range = start..start + left.min(len_bytes.max(GET_BYTES));
        *window = None;
        let bytes = self.store.get_range(&self.bucket, key, range, Some(etag)).await;
        let fetched = Window {
            output: at.output,
            start: at.offset,
            bytes: bytes.map_err(|error| unreadable(key, error))?,
        };
        let bytes = fetched.bytes.slice(..len_bytes as usize);
        *window = Some(fetched);
        Ok(bytes)
    }
}

fn inline(output: &Output, bytes: &[u8], offset: u64, len_bytes: u64) -> Result<Bytes, ExchangeError> {
    let range = offset as usize..(offset + len_bytes) as usize;
    let bytes = bytes.get(range).map(Bytes::copy_from_slice);
    bytes.ok_or_else(|| corrupt(output, FormatError::Damaged("shorter than its index says".to_owned())))
}

fn unreadable(key: &str, source: StoreError) -> ExchangeError {
    let key = key.to_owned();
    match source {
        StoreError::NotFound { .. } | StoreError::NoBucket { .. } | StoreError::Changed { .. } => {
            ExchangeError::ResultLost { key, source }
        }
        StoreError::Corrupt { message, .. } => ExchangeError::ResultCorrupt { key, message },
        other => ExchangeError::Store(other),
    }
}

fn corrupt(output: &Output, error: FormatError) -> ExchangeError {
    let key = match &output.location {
        OutputLocation::Object { key, .. } => key.to_string(),
        OutputLocation::Inline { .. } => "(inline)".to_owned(),
    };
    match error {
        FormatError::Damaged(message) => ExchangeError::ResultCorrupt { key, message },
        FormatError::Columns => ExchangeError::Schema {
            message: format!("result object {key} holds {error}"),
        },
    }
}
