//! A split: the piece of a table that one task scans, pinned to the exact object it was planned on.

use serde::{Deserialize, Serialize};

/// Which row groups of a Parquet file a split covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowGroups {
    All,
    /// Half-open range of row group ordinals.
    Range {
        start: u32,
        end: u32,
    },
}

/// Rows to read: an object, the version it must have, and a range of its row groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    pub bucket: String,
    pub key: String,
    /// Sent as `If-Match`; another version of the object is an error, never a silent mix.
    pub etag: String,
    /// Size of the whole object in bytes.
    pub size_bytes: u64,
    pub row_groups: RowGroups,
    /// Compressed bytes of the columns and row groups that will be read, as planned.
    pub scan_bytes: u64,
    /// Rows in the split as the footer states them; an upper bound where filters apply.
    pub rows: u64,
}
