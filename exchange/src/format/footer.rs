//! The tail of an object: the index that its report carried, so that objects describe themselves to a coordinator that lost the report.
//!
//! ```text
//! ┌───────────────┬────────────┬────────┬────────┐
//! │ footer (JSON) │ footer_len │ crc32c │ magic  │
//! └───────────────┴────────────┴────────┴────────┘
//!                  4            4        8 bytes
//! ```

use super::{FormatError, MAGIC, damaged, u32_at};
use crate::ExchangeError;
use mayfly_protocol::{AttemptId, Digest, Nonce, OutputLocation, PartitionEntry};
use mayfly_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

pub(crate) const TRAILER_BYTES: usize = 16;

/// What one request of [`read_footer`] fetches; holds the index of about a thousand partitions.
const TAIL_BYTES: u64 = 64 * 1024;

/// A footer that would be longer is no footer: 4,096 partitions take about 300 KB.
const FOOTER_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// The index of an object, as it stands in the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    pub attempt: AttemptId,
    pub nonce: Nonce,
    /// What the attempt was pinned to, where its writer was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin_digest: Option<Digest>,
    /// Offset of the first partition's first byte.
    pub data_offset: u64,
    pub partitions: Vec<PartitionEntry>,
}

impl Footer {
    /// The location that the report of this object gave.
    pub fn location(&self, key: String, etag: String, size_bytes: u64) -> OutputLocation {
        OutputLocation::Object {
            key: key.into(),
            etag: etag.into(),
            size_bytes,
            data_offset: self.data_offset,
        }
    }
}

/// Footer and trailer of a new object.
pub(crate) fn encode(footer: &Footer) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(footer).expect("a footer is a map with string keys, which JSON can always hold");
    let length = u32::try_from(bytes.len()).expect("limits bound the partitions of an exchange to 4,096");
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&MAGIC);
    bytes
}

/// How long footer and trailer are together, told by the trailer at the end of `tail`.
fn length(tail: &[u8]) -> Result<u64, FormatError> {
    let start = tail.len().checked_sub(TRAILER_BYTES);
    let trailer = &tail[start.ok_or_else(|| damaged("shorter than its trailer"))?..];
    if trailer[8..] != MAGIC {
        return Err(damaged("no trailer"));
    }
    match u32_at(trailer, 0) {
        length @ ..=FOOTER_BYTES_MAX => Ok(u64::from(length) + TRAILER_BYTES as u64),
        length => Err(damaged(format!("a footer of {length} bytes"))),
    }
}

/// Reads the footer from the end of an object; `tail` holds at least footer and trailer.
pub(crate) fn decode(tail: &[u8]) -> Result<Footer, FormatError> {
    let start = (tail.len() as u64).checked_sub(length(tail)?);
    let start = start.ok_or_else(|| damaged("shorter than its footer"))? as usize;
    let end = tail.len() - TRAILER_BYTES;
    if crc32c::crc32c(&tail[start..end]) != u32_at(tail, end + 4) {
        return Err(damaged("checksum of the footer"));
    }
    serde_json::from_slice(&tail[start..end]).map_err(|error| damaged(error.to_string()))
}

/// Reads an object's footer: one ranged GET, two when the index is long. For a coordinator that lost the report; readers never need it.
pub async fn read_footer(store: &Store, bucket: &str, key: &str, size_bytes: u64) -> Result<Footer, ExchangeError> {
    let corrupt = |error: FormatError| ExchangeError::ResultCorrupt {
        key: key.to_owned(),
        message: error.to_string(),
    };
    let tail = last(store, bucket, key, size_bytes, TAIL_BYTES).await?;
    let needed = length(&tail).map_err(corrupt)?;
    let tail = if needed <= tail.len() as u64 {
        tail
    } else {
        last(store, bucket, key, size_bytes, needed).await?
    };
    decode(&tail).map_err(corrupt)
}

async fn last(
    store: &Store,
    bucket: &str,
    key: &str,
    size_bytes: u64,
    length: u64,
) -> Result<bytes::Bytes, StoreError> {
    let start = size_bytes.saturating_sub(length);
    store.get_range(bucket, key, start..size_bytes, None).await
}
