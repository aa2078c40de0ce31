//! Text: where its records end, and which of a file's columns is which of its table's.

mod header;
mod records;
mod unlisted;

pub use header::{distinct_names, places};
pub use records::{Csv, Records};
pub use unlisted::Unlisted;

/// What some editors write before UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether the JSON file, of which this is the beginning, is one array of records.
pub fn is_array(beginning: &[u8]) -> bool {
    let text = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning);
    text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}
