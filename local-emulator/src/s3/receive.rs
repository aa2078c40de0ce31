//! Receives a body into a new data file, hashing as it goes. Nothing is visible until the store swaps its index; a body that ends early or
//! does not match its digests leaves nothing behind.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, s3_error};

use super::digest::Claim;
use super::object::{Checksums, DataFile, Segment};
use super::store::{Store, internal};

/// Bytes gathered before they are hashed and written together on the blocking pool; smaller bodies are written at once, on this thread.
const BLOCK_BYTES: usize = 1 << 20;
const INLINE_BYTES_MAX: usize = 64 << 10;

/// A body that came whole and matched its digests.
#[derive(Debug)]
pub(crate) struct Received {
    pub segment: Segment,
    pub md5: [u8; 16],
    pub checksums: Checksums,
}

/// `size` is what the client announced; another size is refused.
pub(crate) async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    size: Option<i64>,
    claim: Claim,
) -> S3Result<Received> {
    let mut sink = Sink::new(store.new_file(), claim.hasher()).map_err(internal)?;
    let mut block = Block::default();
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            block.push(chunk.map_err(broken_body)?);
            if block.size >= BLOCK_BYTES {
                sink = sink.absorb(std::mem::take(&mut block)).await?;
            }
        }
    }
    sink = sink.absorb(block).await?;
    if store.syncs {
        sink = sink.synced().await?;
    }
    if size.is_some_and(|size| size != sink.size as i64) {
        return Err(s3_error!(
            IncompleteBody,
            "You did not provide the number of bytes specified by Content-Length"
        ));
    }
    let md5: [u8; 16] = sink.md5.finalize().into();
    let checksums = claim.check(&md5, sink.checksums.finalize())?;
    Ok(Received {
        segment: Segment {
            file: Arc::new(sink.data),
            size: sink.size,
        },
        md5,
        checksums,
    })
}

#[derive(Default)]
struct Block {
    chunks: Vec<Bytes>,
    size: usize,
}

impl Block {
    fn push(&mut self, chunk: Bytes) {
        self.size += chunk.len();
        self.chunks.push(chunk);
    }
}

struct Sink {
    data: DataFile,
    file: File,
    md5: Md5,
    checksums: ChecksumHasher,
    size: u64,
}

impl Sink {
    fn new(data: DataFile, checksums: ChecksumHasher) -> io::Result<Sink> {
        let file = File::create_new(&data.path)?;
        Ok(Sink {
            data,
            file,
            md5: Md5::new(),
            checksums,
            size: 0,
        })
    }

    async fn absorb(mut self, block: Block) -> S3Result<Sink> {
        let done = if block.size <= INLINE_BYTES_MAX {
            self.write(&block).map(|()| self)
        } else {
            let writing = tokio::task::spawn_blocking(move || self.write(&block).map(|()| self));
            writing.await.expect("writing a block does not panic")
        };
        done.map_err(internal)
    }

    /// Waits until all of it is on the disk, its name in the folder too.
    async fn synced(self) -> S3Result<Sink> {
        let sync = move || {
            self.file.sync_all()?;
            let folder = self.data.path.parent().expect("data files lie in a folder");
            File::open(folder)?.sync_all()?;
            Ok(self)
        };
        let syncing = tokio::task::spawn_blocking(sync);
        syncing.await.expect("syncing a file does not panic").map_err(internal)
    }

    fn write(&mut self, block: &Block) -> io::Result<()> {
        for chunk in &block.chunks {
            self.md5.update(chunk);
            self.checksums.update(chunk);
            self.file.write_all(chunk)?;
        }
        self.size += block.size as u64;
        Ok(())
    }
}

/// The payload's SHA-256 is checked by `s3s` as the body passes, and tells of a mismatch by failing the stream.
fn broken_body(error: StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
        let mut refused = S3Error::with_message(
            code,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
        refused.set_status_code(http::StatusCode::BAD_REQUEST);
        return refused;
    }
    if text.contains("SignatureMismatch") {
        return s3_error!(SignatureDoesNotMatch, "The signature of a chunk does not match");
    }
    s3_error!(IncompleteBody, "The request body terminated unexpectedly: {text}")
}
