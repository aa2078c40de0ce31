//! One Parquet file: a thread generates and encodes it, the runtime uploads what it has. Memory holds one row group and a few parts.

use super::Scale;
use super::report::Report;
use super::table::{Piece, Table};
use crate::exit::{Failure, chain};
use bytes::Bytes;
use mayfly_store::{Store, StoreError, Upload};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io::{self, Write};
use tokio::sync::mpsc;

/// Rows of a row group, the unit of a split: about 5 MB of `lineitem`, compressed.
const ROW_GROUP_ROWS: usize = 122_880;
/// Bytes of a part of a multipart upload. 10,000 parts hold 80 GB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts between the encoder and the upload.
const PARTS_WAITING_MAX: usize = 2;
/// Cheap to write, and a quarter smaller than Snappy.
const ZSTD_LEVEL: i32 = 1;

#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub table: Table,
    pub scale: Scale,
    pub piece: Piece,
    pub key: String,
}

/// What a file came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrote {
    pub rows: u64,
    pub bytes: u64,
}

impl File {
    /// The files of a table, under a prefix that ends in a slash.
    pub fn all(table: Table, scale: Scale, prefix: &str) -> Vec<File> {
        let file = |piece: Piece| File {
            table,
            scale,
            piece,
            key: format!("{prefix}part-{:05}.parquet", piece.part),
        };
        table.pieces(scale).map(file).collect()
    }

    /// Writes the file to S3. On failure nothing of it is visible.
    pub async fn write(&self, store: &Store, bucket: &str, report: &Report) -> Result<Wrote, Failure> {
        let (parts, received) = mpsc::channel(PARTS_WAITING_MAX);
        let (file, rows) = (self.clone(), report.rows());
        let encoder = tokio::task::spawn_blocking(move || file.encode(parts, |written| rows.inc(written)));
        let uploaded = upload(store, bucket, &self.key, received, report).await;
        let failed = |error: String| Failure::broken(format!("cannot write s3://{bucket}/{}", self.key), error);
        // A failed upload stops the encoder by hanging up, so its own error comes first.
        let bytes = uploaded.map_err(|error| failed(chain(&error)));
        let encoded = encoder.await.map_err(|error| failed(error.to_string()))?;
        let bytes = bytes?;
        let rows = encoded.map_err(|error| failed(error.to_string()))?;
        Ok(Wrote { rows, bytes })
    }

    /// Generates and encodes; answers the number of rows.
    fn encode(&self, parts: mpsc::Sender<Part>, mut wrote: impl FnMut(u64)) -> parquet::errors::Result<u64> {
        let batches = self.table.batches(self.scale, self.piece);
        let options = ArrowWriterOptions::new()
            .with_properties(properties())
            .with_skip_arrow_metadata(true);
        let mut writer = ArrowWriter::try_new_with_options(PartWriter::new(parts), batches.schema(), options)?;
        let mut rows = 0;
        for batch in batches {
            let batch = batch?;
            writer.write(&batch)?;
            rows += batch.num_rows() as u64;
            wrote(batch.num_rows() as u64);
        }
        writer.into_inner()?.finish()?;
        Ok(rows)
    }
}

fn properties() -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("1 is a level of zstd");
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build()
}

/// Bytes of the file in order. Only a file that was encoded to its end has a last part, so a torn one is never completed.
enum Part {
    Next(Bytes),
    Last(Bytes),
}

/// Cuts what is written into parts and hands them on, waiting while the upload is behind.
struct PartWriter {
    parts: mpsc::Sender<Part>,
    buffer: Vec<u8>,
}

impl PartWriter {
    fn new(parts: mpsc::Sender<Part>) -> PartWriter {
        PartWriter {
            parts,
            buffer: Vec::new(),
        }
    }

    fn finish(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.buffer);
        self.send(Part::Last(rest.into()))
    }

    fn send(&self, part: Part) -> io::Result<()> {
        self.parts
            .blocking_send(part)
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= PART_BYTES {
            let rest = self.buffer.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.buffer, rest);
            self.send(Part::Next(part.into()))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One PUT for a small file, a multipart upload for a larger one. Answers the bytes; 0 when the encoder gave up.
async fn upload(
    store: &Store,
    bucket: &str,
    key: &str,
    mut parts: mpsc::Receiver<Part>,
    report: &Report,
) -> Result<u64, StoreError> {
    let first = match parts.recv().await {
        None => return Ok(0),
        Some(Part::Last(bytes)) => {
            let len = bytes.len() as u64;
            store.put(bucket, key, bytes).await?;
            report.uploaded(len);
            return Ok(len);
        }
        Some(first) => first,
    };
    let mut upload = store.upload(bucket, key).await?;
    match send(&mut upload, first, parts, report).await {
        Ok(Some(bytes)) => upload.complete().await.map(|_| bytes),
        // The first error says what went wrong; one of the clean-up would hide it.
        ended => {
            let _ = upload.abort().await;
            ended.map(|_| 0)
        }
    }
}

/// Sends every part; answers the bytes, or none when the last part never came.
async fn send(
    upload: &mut Upload,
    first: Part,
    mut parts: mpsc::Receiver<Part>,
    report: &Report,
) -> Result<Option<u64>, StoreError> {
    let mut next = Some(first);
    let mut total = 0;
    while let Some(part) = next {
        let (bytes, is_last) = match part {
            Part::Next(bytes) => (bytes, false),
            Part::Last(bytes) => (bytes, true),
        };
        let len = bytes.len() as u64;
        if len > 0 {
            upload.part(bytes).await?;
        }
        report.uploaded(len);
        total += len;
        if is_last {
            return Ok(Some(total));
        }
        next = parts.recv().await;
    }
    Ok(None)
}
