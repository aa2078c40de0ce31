//! What the bytes promise: goldens are read and written the same, and nothing damaged is believed.

mod damage;
mod golden;
mod parts;

use super::block::{self, BlockEncoder, BlockHeader, HEADER_BYTES};
use super::wire::Wire;
use super::{FormatError, u32_at};
use arrow::array::RecordBatch;

/// One block of a batch in declared types.
fn encode(wire: &Wire, batch: &RecordBatch) -> Vec<u8> {
    let batch = wire.pack(batch).expect("a batch of the schema");
    let mut encoder = BlockEncoder::new();
    let block = encoder.encode(wire, &batch).expect("encodes");
    block.expect("far below the bound").to_vec()
}

/// What a reader makes of bytes that should be one block.
fn decode(wire: &Wire, block: &[u8]) -> Result<RecordBatch, FormatError> {
    let short = || FormatError::Damaged("short".to_owned());
    let header = block.first_chunk::<HEADER_BYTES>().ok_or_else(short)?;
    let header = BlockHeader::parse(*header)?;
    let payload = block.get(HEADER_BYTES..header.block_len()).ok_or_else(short)?;
    let batch = block::decode(&header, payload, wire)?;
    wire.unpack(&batch)
}

/// A checksum that fits whatever stands in the block.
fn forge(block: &mut [u8]) {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&block[..20]), &block[HEADER_BYTES..]);
    block[20..24].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(u32_at(block, 20), crc);
}
