//! The head of an object: magic, version, flags, and its schema, so that an object found alone can be read.
//!
//! ```text
//! 0        8         10      12           16           20      24         28       32          32 + schema_len
//! ┌────────┬─────────┬───────┬────────────┬────────────┬───────┬──────────┬────────┬───────────┐
//! │ magic  │ version │ flags │ partitions │ schema_len │ types │ reserved │ crc32c │ schema …  │
//! └────────┴─────────┴───────┴────────────┴────────────┴───────┴──────────┴────────┴───────────┘
//! ```

use super::wire::Wire;
use super::{MAGIC, VERSION};
use crate::ExchangeError;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};

const FILE_HEADER_BYTES: usize = 32;

/// Bit 0 is reserved for payloads that the client encrypted with a key of the query. No build sets one yet. A reader of blocks never sees
/// this header, so the bit stands in each block's flags too, where an unknown one makes the block unreadable.
const FLAGS: u16 = 0;

/// Header and schema section of a new object.
pub(crate) fn encode(wire: &Wire, partitions: u32) -> Result<Vec<u8>, ExchangeError> {
    let schema = schema_message(wire);
    let schema_len = u32::try_from(schema.len()).map_err(|_| ExchangeError::Schema {
        message: "too large to write down".to_owned(),
    })?;
    let mut bytes = Vec::with_capacity(FILE_HEADER_BYTES + schema.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&FLAGS.to_le_bytes());
    for word in [partitions, schema_len, wire.types(), 0] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), &schema);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&schema);
    Ok(bytes)
}

fn schema_message(wire: &Wire) -> Vec<u8> {
    let options = IpcWriteOptions::default();
    let mut tracker = DictionaryTracker::new(false);
    IpcDataGenerator {}
        .schema_to_bytes_with_dictionary_tracker(wire.wire_schema(), &mut tracker, &options)
        .ipc_message
}
