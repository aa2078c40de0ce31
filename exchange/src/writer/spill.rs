//! The one local file that blocks go to when memory runs out. Unlinked from the start: a killed executor leaves nothing behind.

use crate::ExchangeError;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes collected before a write: blocks of wide exchanges are small.
const WRITE_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Spill {
    folder: PathBuf,
    bytes_max: u64,
    bytes: u64,
    file: Option<BufWriter<File>>,
}

impl Spill {
    pub(super) fn new(folder: PathBuf, bytes_max: u64) -> Spill {
        Spill {
            folder,
            bytes_max,
            bytes: 0,
            file: None,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes sure that the file is there and may grow by so much.
    pub(super) fn reserve(&mut self, bytes: u64) -> Result<(), ExchangeError> {
        if self.bytes + bytes > self.bytes_max {
            return Err(ExchangeError::SpillFull {
                bytes_max: self.bytes_max,
            });
        }
        if self.file.is_none() {
            let file = tempfile::tempfile_in(&self.folder).map_err(ExchangeError::Spill)?;
            self.file = Some(BufWriter::with_capacity(WRITE_BYTES, file));
        }
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), ExchangeError> {
        let bytes_max = self.bytes_max;
        let file = self.file.as_mut().expect("reserved before");
        file.write_all(bytes).map_err(|error| failed(error, bytes_max))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), ExchangeError> {
        let bytes_max = self.bytes_max;
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        flushed.map_err(|error| failed(error, bytes_max))
    }

    /// The file for reading; `None` if nothing was spilled.
    pub(super) fn into_file(self) -> Result<Option<Arc<File>>, ExchangeError> {
        let file = self.file.map(BufWriter::into_inner).transpose();
        let file = file.map_err(|error| ExchangeError::Spill(error.into_error()))?;
        Ok(file.map(Arc::new))
    }
}

/// A full disk is to the user what a reached bound is.
fn failed(error: std::io::Error, bytes_max: u64) -> ExchangeError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ExchangeError::SpillFull { bytes_max },
        _ => ExchangeError::Spill(error),
    }
}
