//! The index log: what makes buckets and objects outlive the process. Append-only; one frame per change, written in one call, so that
//! after kill -9 only the last frame can be torn, and a torn one is ignored and cut off. Anything else that cannot be read is damage, which
//! is refused: to cut there would lose what was acknowledged later.
//!
//! ```text
//! ┌────────────┬─────────────┬───────────────┐
//! │ length u32 │ crc32c u32  │ record (JSON) │  … repeated; numbers little-endian
//! └────────────┴─────────────┴───────────────┘
//! ```
//!
//! Survives the death of the process; that of the machine only if it is told to sync each frame to the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::lifecycle::Rule;
use super::object::{About, Checksums};

const HEADER_BYTES: usize = 8;
/// A larger record is refused before it is written; far above any that S3's limits allow (1,000 lifecycle rules of 1 KiB, 10,000 parts).
const RECORD_BYTES_MAX: usize = 4 << 20;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Record {
    CreateBucket {
        bucket: String,
        created_ms: u64,
    },
    DeleteBucket {
        bucket: String,
    },
    SetLifecycle {
        bucket: String,
        rules: Vec<Rule>,
    },
    Put {
        bucket: String,
        key: String,
        files: Vec<FileRecord>,
        about: About,
    },
    Delete {
        bucket: String,
        key: String,
    },
    CreateUpload {
        id: String,
        bucket: String,
        key: String,
        initiated_ms: u64,
        about: About,
    },
    AddPart {
        id: String,
        number: i32,
        part: PartRecord,
    },
    /// Completed or aborted.
    EndUpload {
        id: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    pub file: FileRecord,
    pub md5: [u8; 16],
    #[serde(default)]
    pub checksums: Checksums,
    pub modified_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub id: u64,
    pub size: u64,
}

#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    /// Where the last whole frame ends.
    end: u64,
    /// Whether a record is on the disk when [`append`](Log::append) returns.
    syncs: bool,
    /// Set when a torn frame could not be cut off: what followed it would be lost at the next start, so nothing may follow.
    broken: bool,
}

impl Log {
    /// Opens or creates the log and gives what it holds, oldest first.
    pub fn open(path: &Path, syncs: bool) -> io::Result<(Log, Vec<Record>)> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (records, end) = replay(&bytes)?;
        if end < bytes.len() {
            tracing::warn!(bytes = bytes.len() - end, "ignored the torn end of the index log");
            file.set_len(end as u64)?;
        }
        Ok((
            Log {
                file,
                end: end as u64,
                syncs,
                broken: false,
            },
            records,
        ))
    }

    /// Replaces the log at `path` by one that holds `records` alone.
    pub fn rewrite<'a>(path: &Path, records: impl Iterator<Item = Record> + 'a, syncs: bool) -> io::Result<Log> {
        let fresh = path.with_extension("new");
        let mut writer = BufWriter::new(File::create(&fresh)?);
        let mut end = 0;
        for record in records {
            let frame = frame(&record)?;
            writer.write_all(&frame)?;
            end += frame.len() as u64;
        }
        writer.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        std::fs::rename(&fresh, path)?;
        let file = OpenOptions::new().append(true).open(path)?;
        Ok(Log {
            file,
            end,
            syncs,
            broken: false,
        })
    }

    /// Appends one record. On failure the log is as it was before.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other(
                "the index log is broken since an earlier write failed",
            ));
        }
        let frame = frame(record)?;
        let written = self.file.write_all(&frame);
        match written.and_then(|()| if self.syncs { self.file.sync_data() } else { Ok(()) }) {
            Ok(()) => {
                self.end += frame.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.broken = self.file.set_len(self.end).is_err();
                Err(error)
            }
        }
    }
}

pub(super) fn frame(record: &Record) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(record)?;
    if body.len() > RECORD_BYTES_MAX {
        let reason = format!("a record of {} bytes is too large for the index log", body.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let mut frame = Vec::with_capacity(HEADER_BYTES + body.len());
    frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
    frame.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    frame.extend_from_slice(&body);
    Ok(frame)
}

/// The whole frames at the start of `bytes`, and where they end: at the end, or where the last frame is torn.
fn replay(bytes: &[u8]) -> io::Result<(Vec<Record>, usize)> {
    let (mut records, mut end) = (Vec::new(), 0);
    while end < bytes.len() {
        let Some(size) = frame_bytes(&bytes[end..]).map_err(|reason| damaged(end, &reason))? else {
            break;
        };
        let (header, body) = bytes[end..end + size].split_at(HEADER_BYTES);
        if crc32c::crc32c(body).to_le_bytes() != header[4..] {
            // Where the machine died, the last frame may have its length and not yet its bytes.
            match end + size == bytes.len() {
                true => break,
                false => return Err(damaged(end, "its checksum is wrong")),
            }
        }
        records.push(serde_json::from_slice(body).map_err(|error| damaged(end, &error.to_string()))?);
        end += size;
    }
    Ok((records, end))
}

/// The size of the frame that `bytes` start with, or none if it is torn.
fn frame_bytes(bytes: &[u8]) -> Result<Option<usize>, String> {
    // Space that the file system gave and the dead machine never filled.
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let Some(length) = bytes.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length > RECORD_BYTES_MAX {
        return Err(format!("no record has {length} bytes"));
    }
    let size = HEADER_BYTES + length;
    Ok((size <= bytes.len()).then_some(size))
}

fn damaged(at: usize, reason: &str) -> io::Error {
    let text =
        format!("the index log is damaged at byte {at}: {reason}; restore it, or start with an empty data folder");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// For fuzzing: what a log of these bytes holds.
#[cfg(any(test, fuzzing))]
pub(super) fn replayed(bytes: &[u8]) -> io::Result<Vec<Record>> {
    replay(bytes).map(|(records, _)| records)
}
