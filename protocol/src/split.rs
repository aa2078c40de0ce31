//! A split: the piece of a table that one task scans, pinned to the exact object it was planned on.

use serde::{Deserialize, Serialize};

/// Which part of a file a split covers. Ranges are half-open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRange {
    All,
    /// Ordinals of a Parquet file's row groups.
    #[serde(rename = "range")]
    RowGroups {
        start: u32,
        end: u32,
    },
    /// Bytes of a text file: the lines that begin in it.
    Bytes {
        start: u64,
        end: u64,
    },
}

/// Rows to read: an object, the version it must have, and a range of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    pub bucket: String,
    pub key: String,
    /// Sent as `If-Match`; another version of the object is an error, never a silent mix.
    pub etag: String,
    /// Size of the whole object in bytes.
    pub size_bytes: u64,
    /// The wire's name is older than scans of text.
    #[serde(rename = "row_groups")]
    pub range: FileRange,
    /// Bytes of the columns and ranges that will be read, as planned: compressed ones of Parquet.
    pub scan_bytes: u64,
    /// Rows in the split as the footer states them; an upper bound where filters apply, a guess for text.
    pub rows: u64,
    /// Values of the table's partition columns for this file, in their order, as text; `None` is NULL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_values: Vec<Option<String>>,
}
