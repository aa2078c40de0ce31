//! One block: some rows of one partition, compressed, under a checksum that is verified before anything inside is believed.
//!
//! ```text
//! 0             4         8      12      16      17      18         20       24                24 + payload_len
//! ┌─────────────┬─────────┬──────┬───────┬───────┬───────┬──────────┬────────┬─────────────────┐
//! │ payload_len │ raw_len │ rows │ types │ codec │ flags │ reserved │ crc32c │ payload …       │
//! └─────────────┴─────────┴──────┴───────┴───────┴───────┴──────────┴────────┴─────────────────┘
//! payload, uncompressed:  │ metadata_len u32 │ metadata │ zeros to a multiple of 16 │ body │
//! ```

use super::wire::Wire;
use super::{FormatError, damaged, u32_at};
use crate::ExchangeError;
use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow_ipc::MetadataVersion;
use arrow_ipc::writer::{DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub(crate) const HEADER_BYTES: usize = 24;

/// Uncompressed bytes of one block. A row that does not fit cannot be exchanged.
pub(crate) const RAW_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Bodies start here and buffers lie at multiples of this, so that 128-bit decimals need no second copy.
const ALIGNMENT: usize = 16;

/// An LZ4 block cannot expand more than this, so a header that promises more is a lie.
const EXPANSION_MAX: usize = 255;

const STORED: u8 = 0;
const LZ4: u8 = 1;

/// What a block's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    pub(crate) payload_len: usize,
    pub(crate) rows: u32,
    raw_len: usize,
    types: u32,
    codec: u8,
    crc: u32,
    bytes: [u8; HEADER_BYTES],
}

impl BlockHeader {
    /// Reads a header and refuses what no writer writes. The checksum, which covers the header too, is checked by [`decode`].
    pub(crate) fn parse(bytes: [u8; HEADER_BYTES]) -> Result<BlockHeader, FormatError> {
        let header = BlockHeader {
            payload_len: u32_at(&bytes, 0) as usize,
            raw_len: u32_at(&bytes, 4) as usize,
            rows: u32_at(&bytes, 8),
            types: u32_at(&bytes, 12),
            codec: bytes[16],
            crc: u32_at(&bytes, 20),
            bytes,
        };
        let plausible = match header.codec {
            STORED => header.payload_len == header.raw_len,
            LZ4 => header.raw_len / EXPANSION_MAX <= header.payload_len,
            _ => false,
        };
        let reserved = bytes[17] == 0 && bytes[18] == 0 && bytes[19] == 0;
        if plausible && reserved && header.raw_len <= RAW_BYTES_MAX {
            Ok(header)
        } else {
            Err(damaged("not a block's header"))
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; HEADER_BYTES] {
        &self.bytes
    }

    /// Length of header and payload.
    pub(crate) fn block_len(&self) -> usize {
        HEADER_BYTES + self.payload_len
    }
}

/// Turns batches into blocks, keeping its buffers between them.
pub(crate) struct BlockEncoder {
    context: IpcWriteContext,
    options: IpcWriteOptions,
    raw: Vec<u8>,
    block: Vec<u8>,
    raw_bytes_max: usize,
}

impl BlockEncoder {
    pub(crate) fn new() -> BlockEncoder {
        BlockEncoder::with_bound(RAW_BYTES_MAX)
    }

    pub(crate) fn with_bound(raw_bytes_max: usize) -> BlockEncoder {
        let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5);
        BlockEncoder {
            context: IpcWriteContext::default(),
            options: options.expect("16 is an alignment that Arrow knows"),
            raw: Vec::new(),
            block: Vec::new(),
            raw_bytes_max,
        }
    }

    pub(crate) fn raw_bytes_max(&self) -> usize {
        self.raw_bytes_max
    }

    /// The block of a batch in wire types; `None` if it would be too large and must be cut.
    pub(crate) fn encode(&mut self, wire: &Wire, batch: &RecordBatch) -> Result<Option<&[u8]>, ExchangeError> {
        let message = self.message(batch)?;
        let unpadded = 4 + message.ipc_message.len();
        let body_at = unpadded.next_multiple_of(ALIGNMENT);
        let raw_len = body_at + message.arrow_data.len();
        if raw_len > self.raw_bytes_max {
            return Ok(None);
        }
        self.raw.clear();
        self.raw
            .extend_from_slice(&(message.ipc_message.len() as u32).to_le_bytes());
        self.raw.extend_from_slice(&message.ipc_message);
        self.raw.resize(body_at, 0);
        self.raw.extend_from_slice(&message.arrow_data);
        let codec = self.compress();
        self.seal(wire, batch.num_rows() as u32, codec);
        Ok(Some(&self.block))
    }

    fn message(&mut self, batch: &RecordBatch) -> Result<EncodedData, ExchangeError> {
        // Wire types hold no dictionary, so the tracker stays empty and the first list too.
        let mut tracker = DictionaryTracker::new(true);
        IpcDataGenerator {}
            .encode(batch, &mut tracker, &self.options, &mut self.context)
            .map(|(_, message)| message)
            .map_err(ExchangeError::Encode)
    }

    /// Fills the block behind its header. Saving less than a tenth is not worth the reader's time.
    fn compress(&mut self) -> u8 {
        let bound = lz4_flex::block::get_maximum_output_size(self.raw.len());
        self.block.resize(HEADER_BYTES + bound, 0);
        let packed = lz4_flex::block::compress_into(&self.raw, &mut self.block[HEADER_BYTES..]);
        match packed {
            Ok(length) if length < self.raw.len() / 10 * 9 => {
                self.block.truncate(HEADER_BYTES + length);
                LZ4
            }
            _ => {
                self.block.truncate(HEADER_BYTES);
                self.block.extend_from_slice(&self.raw);
                STORED
            }
        }
    }

    fn seal(&mut self, wire: &Wire, rows: u32, codec: u8) {
        let payload_len = (self.block.len() - HEADER_BYTES) as u32;
        let words = [payload_len, self.raw.len() as u32, rows, wire.types()];
        for (at, word) in words.into_iter().enumerate() {
            self.block[at * 4..at * 4 + 4].copy_from_slice(&word.to_le_bytes());
        }
        self.block[16..20].copy_from_slice(&[codec, 0, 0, 0]);
        let crc = checksum(&self.block[..20], &self.block[HEADER_BYTES..]);
        self.block[20..24].copy_from_slice(&crc.to_le_bytes());
    }
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(head), payload)
}

/// The rows of a block, in wire types.
pub(crate) fn decode(header: &BlockHeader, payload: &[u8], wire: &Wire) -> Result<RecordBatch, FormatError> {
    if payload.len() != header.payload_len || checksum(&header.bytes[..20], payload) != header.crc {
        return Err(damaged("checksum of a block"));
    }
    if header.types != wire.types() {
        return Err(FormatError::Columns);
    }
    // From here on the bytes are a writer's. A panic below would be Arrow's and a forged checksum's; it must not take the executor along.
    let raw = unpack(header, payload)?;
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_raw(raw, header.rows, wire)));
    decoded.unwrap_or_else(|_| Err(damaged("a block that Arrow cannot stand")))
}

fn unpack(header: &BlockHeader, payload: &[u8]) -> Result<Vec<u8>, FormatError> {
    if header.codec == STORED {
        return Ok(payload.to_vec());
    }
    let mut raw = vec![0; header.raw_len];
    let length = lz4_flex::block::decompress_into(payload, &mut raw).map_err(|error| damaged(error.to_string()))?;
    if length == header.raw_len {
        Ok(raw)
    } else {
        Err(damaged("a block of another length"))
    }
}

fn decode_raw(raw: Vec<u8>, rows: u32, wire: &Wire) -> Result<RecordBatch, FormatError> {
    let raw = Buffer::from_vec(raw);
    if raw.len() < 4 {
        return Err(damaged("a block without metadata"));
    }
    let metadata_end = 4 + u32_at(&raw, 0) as usize;
    let metadata = raw.get(4..metadata_end).ok_or_else(|| damaged("a block's metadata"))?;
    let body_at = metadata_end.next_multiple_of(ALIGNMENT);
    if body_at > raw.len() {
        return Err(damaged("a block without body"));
    }
    let message = arrow_ipc::root_as_message(metadata).map_err(|error| damaged(error.to_string()))?;
    let batch = message.header_as_record_batch();
    let batch = batch.ok_or_else(|| damaged("a block that is no batch"))?;
    let body = raw.slice(body_at);
    check_bounds(&batch, body.len(), rows)?;
    let schema = Arc::clone(wire.wire_schema());
    arrow_ipc::reader::read_record_batch(&body, batch, schema, &HashMap::new(), None, &message.version())
        .map_err(|error| damaged(error.to_string()))
}

/// Arrow slices buffers by what the metadata says and panics where that is beyond the body.
fn check_bounds(batch: &arrow_ipc::RecordBatch<'_>, body_len: usize, rows: u32) -> Result<(), FormatError> {
    let inside = |offset: i64, length: i64| {
        let end = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
        end.and_then(|(offset, length)| offset.checked_add(length))
            .is_some_and(|end| end <= body_len)
    };
    let mut buffers = batch.buffers().into_iter().flatten();
    let mut nodes = batch.nodes().into_iter().flatten();
    let sound = batch.length() == i64::from(rows)
        && batch.compression().is_none()
        && buffers.all(|buffer| inside(buffer.offset(), buffer.length()))
        && nodes.all(|node| node.length() >= 0 && (0..=node.length()).contains(&node.null_count()));
    if sound {
        Ok(())
    } else {
        Err(damaged("a block whose buffers lie outside it"))
    }
}
