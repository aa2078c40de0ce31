//! The head of an object: magic, version, flags, and its schema, so that an object found alone can be read.
//!
//! ```text
//! 0        8         10      12           16           20      24         28       32          32 + schema_len
//! ┌────────┬─────────┬───────┬────────────┬────────────┬───────┬──────────┬────────┬───────────┐
//! │ magic  │ version │ flags │ partitions │ schema_len │ types │ reserved │ crc32c │ schema …  │
//! └────────┴─────────┴───────┴────────────┴────────────┴───────┴──────────┴────────┴───────────┘
//! ```

use super::wire::Wire;
use super::{FormatError, MAGIC, VERSION, damaged, u32_at};
use crate::ExchangeError;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};

pub(crate) const FILE_HEADER_BYTES: usize = 32;

/// Bit 0: the payloads of the blocks are encrypted by the client with a key of the query. Reserved; no build writes it yet, and one that
/// does not know it must refuse the object.
pub(crate) const FLAG_ENCRYPTED: u16 = 1;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) partitions: u32,
    pub(crate) schema_len: u32,
    pub(crate) types: u32,
}

/// Header and schema section of a new object.
pub(crate) fn encode(wire: &Wire, partitions: u32) -> Result<Vec<u8>, ExchangeError> {
    let schema = schema_message(wire);
    let schema_len = u32::try_from(schema.len()).map_err(|_| ExchangeError::Schema {
        message: "too large to write down".to_owned(),
    })?;
    let mut bytes = Vec::with_capacity(FILE_HEADER_BYTES + schema.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&0u16.to_le_bytes());
    for word in [partitions, schema_len, wire.types(), 0] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), &schema);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&schema);
    Ok(bytes)
}

/// Reads header and schema section; `bytes` may go on beyond them.
pub(crate) fn decode(bytes: &[u8]) -> Result<FileHeader, FormatError> {
    let head = bytes
        .get(..FILE_HEADER_BYTES)
        .ok_or_else(|| damaged("shorter than its header"))?;
    if head[..8] != MAGIC {
        return Err(damaged("not an exchange object"));
    }
    let version = u16::from_le_bytes([head[8], head[9]]);
    let flags = u16::from_le_bytes([head[10], head[11]]);
    if version != VERSION || flags != 0 {
        let encrypted = flags & FLAG_ENCRYPTED != 0;
        let message = format!("version {version}, flags {flags:#06x}, encrypted: {encrypted}");
        return Err(damaged(message));
    }
    let header = FileHeader {
        partitions: u32_at(head, 12),
        schema_len: u32_at(head, 16),
        types: u32_at(head, 20),
    };
    let end = FILE_HEADER_BYTES + header.schema_len as usize;
    let schema = bytes
        .get(FILE_HEADER_BYTES..end)
        .ok_or_else(|| damaged("shorter than its schema"))?;
    if crc32c::crc32c_append(crc32c::crc32c(&head[..28]), schema) != u32_at(head, 28) {
        return Err(damaged("checksum of the header"));
    }
    Ok(header)
}

fn schema_message(wire: &Wire) -> Vec<u8> {
    let options = IpcWriteOptions::default();
    let mut tracker = DictionaryTracker::new(false);
    IpcDataGenerator {}
        .schema_to_bytes_with_dictionary_tracker(wire.wire_schema(), &mut tracker, &options)
        .ipc_message
}
