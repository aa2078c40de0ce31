//! The bytes of an output object: header, schema, blocks, footer, trailer. `docs/formats/exchange.md` draws them; `tests/golden/exchange`
//! holds them. Pure functions between bytes and nouns: whoever reads or writes S3 stands in `read`, `result` and `writer`.

pub(crate) mod block;
pub(crate) mod digest;
pub(crate) mod footer;
pub(crate) mod header;
pub(crate) mod queue;
pub(crate) mod wire;

/// First and last bytes of every object.
pub(crate) const MAGIC: [u8; 8] = *b"mayflyex";

/// Layout of the whole object. New meaning gets a new number and a new golden.
pub(crate) const VERSION: u16 = 1;

/// Why bytes are not what they should be. The caller knows whose bytes they were and turns this into its own error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormatError {
    /// The bytes are damaged.
    #[error("{0}")]
    Damaged(String),
    /// The bytes are sound, but their columns are not the reader's.
    #[error("columns of another type than the reader's")]
    Columns,
}

pub(crate) fn damaged(message: impl Into<String>) -> FormatError {
    FormatError::Damaged(message.into())
}

/// Little-endian number at `at`; the caller has checked the length.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let word = bytes[at..at + 4].try_into().expect("a slice of four bytes");
    u32::from_le_bytes(word)
}

#[cfg(test)]
mod tests;
