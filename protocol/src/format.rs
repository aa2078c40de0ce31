//! How the files of a table are written: what the catalog remembers, and what a scan must know to read them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A table's file format. All files of a table share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "lowercase")]
pub enum FileFormat {
    #[default]
    Parquet,
    Csv(CsvFormat),
    Json(JsonFormat),
}

/// Lines of values between delimiters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvFormat {
    /// Whether the first line of each file names the columns.
    pub has_header: bool,
    /// One ASCII character, as all four.
    pub delimiter: char,
    pub quote: char,
    pub escape: Option<char>,
    /// Lines that begin with it are no rows.
    pub comment: Option<char>,
    /// Whether a quoted value may hold a line break. Files cannot be cut into splits then.
    pub newlines_in_values: bool,
    /// Of every file; where it is not said, each file's name tells its own.
    pub compression: Option<Compression>,
    /// What stands for NULL, beside nothing at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null_value: Option<String>,
}

impl Default for CsvFormat {
    fn default() -> CsvFormat {
        CsvFormat {
            has_header: true,
            delimiter: ',',
            quote: '"',
            escape: None,
            comment: None,
            newlines_in_values: false,
            compression: None,
            null_value: None,
        }
    }
}

/// One JSON object a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsonFormat {
    /// As [`CsvFormat::compression`].
    pub compression: Option<Compression>,
}

/// How a whole text file is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Compression {
    pub const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Bzip2,
        Compression::Xz,
        Compression::Zstd,
    ];

    /// Each with the ending of its files, without the dot.
    pub const KNOWN: [(Compression, &'static str); 4] = [
        (Compression::Gzip, "gz"),
        (Compression::Bzip2, "bz2"),
        (Compression::Xz, "xz"),
        (Compression::Zstd, "zst"),
    ];

    /// What the ending of the object's key says.
    pub fn of_key(key: &str) -> Compression {
        let ending = key.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let known = Compression::KNOWN
            .iter()
            .find(|(_, known)| ending.as_deref() == Some(known));
        known.map_or(Compression::None, |(compression, _)| *compression)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
            Compression::Zstd => "zstd",
        })
    }
}

impl FileFormat {
    /// What all files of the table are said to be compressed with.
    pub fn compression(&self) -> Option<Compression> {
        match self {
            FileFormat::Parquet => None,
            FileFormat::Csv(csv) => csv.compression,
            FileFormat::Json(json) => json.compression,
        }
    }

    /// How the file at the key is compressed as a whole. Parquet's compression is within.
    pub fn compression_of(&self, key: &str) -> Compression {
        match self {
            FileFormat::Parquet => Compression::None,
            _ => self.compression().unwrap_or_else(|| Compression::of_key(key)),
        }
    }

    /// Whether the file at the key can be read in several byte ranges.
    pub fn is_splittable(&self, key: &str) -> bool {
        let whole_values = !matches!(self, FileFormat::Csv(csv) if csv.newlines_in_values);
        self.compression_of(key) == Compression::None && whole_values
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileFormat::Parquet => "PARQUET",
            FileFormat::Csv(_) => "CSV",
            FileFormat::Json(_) => "JSON",
        })
    }
}
