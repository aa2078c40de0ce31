//! From blocks to one object: inline in the report, one PUT, or one multipart upload. It appears whole or not at all.

use super::Writer;
use super::blocks::Chunk;
use crate::ExchangeError;
use crate::format::footer::{self, Footer};
use crate::format::header;
use bytes::{Bytes, BytesMut};
use mayfly_protocol::{AttemptId, Nonce, Output, OutputLocation, OutputSpec, PartitionEntry, key};
use mayfly_store::{Store, Upload};
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Objects up to this size are one PUT, larger ones are parts of this size. Four parts may be under way at a time.
const PART_BYTES: u64 = 16 * 1024 * 1024;

/// Parts that an upload is planned to have at most; S3 allows 10,000.
const PARTS_MAX: u64 = 9_000;

impl Writer {
    /// Publishes everything, atomically: inline up to the spec's bound, else as one object at the spec's key with the nonce.
    pub async fn publish(
        mut self,
        store: &Store,
        output: &OutputSpec,
        nonce: Nonce,
        attempt: &AttemptId,
    ) -> Result<Output, ExchangeError> {
        assert_eq!(output.partitions, self.blocks.partitions(), "the spec's partitions");
        self.flush()?;
        let partitions = self.blocks.index();
        let len_bytes: u64 = partitions.iter().map(|partition| partition.len_bytes).sum();
        let location = if len_bytes <= output.inline_bytes_max {
            self.inline(len_bytes).await?
        } else {
            let key = key::output_at(output.key_prefix.clone(), nonce);
            let content = self.content(nonce, attempt, partitions.clone())?;
            content.put(store, &output.bucket, key).await?
        };
        Ok(Output { location, partitions })
    }

    async fn inline(self, len_bytes: u64) -> Result<OutputLocation, ExchangeError> {
        let mut source = Source {
            chunks: self.blocks.into_chunks().collect(),
            file: self.spill.into_file()?,
        };
        let bytes = source.next(len_bytes).await?;
        assert_eq!(bytes.len() as u64, len_bytes, "the index covers every block");
        Ok(OutputLocation::Inline { bytes: bytes.to_vec() })
    }

    /// The whole object, still in pieces.
    fn content(
        self,
        nonce: Nonce,
        attempt: &AttemptId,
        partitions: Vec<PartitionEntry>,
    ) -> Result<Content, ExchangeError> {
        let head = header::encode(&self.wire, self.blocks.partitions())?;
        let data_offset = head.len() as u64;
        let data_len: u64 = partitions.iter().map(|partition| partition.len_bytes).sum();
        let tail = footer::encode(&Footer {
            attempt: attempt.clone(),
            nonce,
            pin_digest: self.pin_digest,
            data_offset,
            partitions,
        });
        let size_bytes = data_offset + data_len + tail.len() as u64;
        let mut chunks = VecDeque::from([Chunk::Memory(head.into())]);
        chunks.extend(self.blocks.into_chunks());
        chunks.push_back(Chunk::Memory(tail.into()));
        let file = self.spill.into_file()?;
        let source = Source { chunks, file };
        Ok(Content {
            source,
            data_offset,
            size_bytes,
        })
    }
}

/// An object about to be written.
struct Content {
    source: Source,
    data_offset: u64,
    size_bytes: u64,
}

impl Content {
    async fn put(mut self, store: &Store, bucket: &str, key: String) -> Result<OutputLocation, ExchangeError> {
        let etag = if self.size_bytes <= PART_BYTES {
            let bytes = self.source.next(self.size_bytes).await?;
            assert_eq!(bytes.len() as u64, self.size_bytes, "the index covers every block");
            store.put(bucket, &key, bytes).await?
        } else {
            let mut upload = store.upload(bucket, &key).await?;
            match self.send(&mut upload).await {
                Ok(()) => upload.complete().await?,
                Err(error) => {
                    // What is left behind goes with the bucket's lifecycle rule; the first error is the one that tells.
                    upload.abort().await.ok();
                    return Err(error);
                }
            }
        };
        Ok(OutputLocation::Object {
            key: key.into(),
            etag: etag.into(),
            size_bytes: self.size_bytes,
            data_offset: self.data_offset,
        })
    }

    async fn send(&mut self, upload: &mut Upload) -> Result<(), ExchangeError> {
        let part_bytes = PART_BYTES.max(self.size_bytes.div_ceil(PARTS_MAX));
        let mut left = self.size_bytes;
        while left > 0 {
            let part = self.source.next(part_bytes.min(left)).await?;
            assert_eq!(part.len() as u64, part_bytes.min(left), "the index covers every block");
            left -= part.len() as u64;
            upload.part(part).await?;
        }
        Ok(())
    }
}

/// The bytes still to be sent, in order.
struct Source {
    chunks: VecDeque<Chunk>,
    file: Option<Arc<File>>,
}

impl Source {
    /// The next `len_bytes`, or what is left. What has been returned is no longer held.
    async fn next(&mut self, len_bytes: u64) -> Result<Bytes, ExchangeError> {
        let mut wanted = VecDeque::new();
        let mut left = len_bytes;
        while left > 0 {
            let Some(chunk) = self.chunks.pop_front() else { break };
            let (first, rest) = split(chunk, left);
            left -= length(&first);
            wanted.push_back(first);
            if let Some(rest) = rest {
                self.chunks.push_front(rest);
            }
        }
        let file = self.file.clone();
        let whole = (len_bytes - left) as usize;
        let read = tokio::task::spawn_blocking(move || join(wanted, file.as_deref(), whole));
        let read = read.await.unwrap_or_else(|lost| Err(std::io::Error::other(lost)));
        read.map_err(ExchangeError::Spill)
    }
}

fn length(chunk: &Chunk) -> u64 {
    match chunk {
        Chunk::Memory(bytes) => bytes.len() as u64,
        Chunk::Spilled { len_bytes, .. } => *len_bytes,
    }
}

/// The first `at` bytes of a chunk, and the rest of it.
fn split(chunk: Chunk, at: u64) -> (Chunk, Option<Chunk>) {
    if length(&chunk) <= at {
        return (chunk, None);
    }
    match chunk {
        Chunk::Memory(mut bytes) => {
            let first = bytes.split_to(at as usize);
            (Chunk::Memory(first), Some(Chunk::Memory(bytes)))
        }
        Chunk::Spilled { offset, len_bytes } => {
            let first = Chunk::Spilled { offset, len_bytes: at };
            let rest = Chunk::Spilled {
                offset: offset + at,
                len_bytes: len_bytes - at,
            };
            (first, Some(rest))
        }
    }
}

/// Reads what is on disk and puts it in line with what is in memory. Blocks.
fn join(chunks: VecDeque<Chunk>, file: Option<&File>, len_bytes: usize) -> std::io::Result<Bytes> {
    let mut joined = BytesMut::with_capacity(len_bytes);
    for chunk in chunks {
        match chunk {
            Chunk::Memory(bytes) => joined.extend_from_slice(&bytes),
            Chunk::Spilled { offset, len_bytes } => {
                let start = joined.len();
                joined.resize(start + len_bytes as usize, 0);
                let file = file.expect("a spilled chunk has its file");
                file.read_exact_at(&mut joined[start..], offset)?;
            }
        }
    }
    Ok(joined.freeze())
}
