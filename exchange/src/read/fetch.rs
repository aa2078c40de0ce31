//! Getting the bytes of pieces: ahead of the decoder, in parallel, in order, within a bound.

use super::ReadSettings;
use super::piece::{Piece, Place};
use crate::ExchangeError;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use mayfly_store::{Store, StoreError};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

/// Ranges longer than this are cut into GETs of about this size: one connection to S3 is slower than an executor's network.
pub(super) const GET_BYTES: u64 = 8 * 1024 * 1024;

/// Ahead-of-use bytes are counted in units of this.
const UNIT_BYTES: u64 = 1024;

/// One stream's share of the settings.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    store: Store,
    bucket: Arc<str>,
    gets_max: usize,
    ahead_units_max: u32,
}

impl Lane {
    /// Shares are fixed, since a pool shared by streams could be held by those that nobody polls.
    pub(super) fn new(store: &Store, bucket: &str, settings: ReadSettings, streams: usize) -> Lane {
        let streams = streams.max(1);
        let ahead = (settings.ahead_bytes_max / streams) as u64 / UNIT_BYTES;
        Lane {
            store: store.clone(),
            bucket: bucket.into(),
            gets_max: (settings.concurrent_gets_max / streams).max(1),
            ahead_units_max: ahead.clamp(1, u64::from(u32::MAX >> 4)) as u32,
        }
    }

    /// The bytes of the pieces, chunk by chunk; no chunk spans two pieces.
    pub(super) fn chunks(&self, pieces: &[Piece]) -> BoxStream<'static, Result<Chunk, ExchangeError>> {
        let ahead = Arc::new(Semaphore::new(self.ahead_units_max as usize));
        let lane = self.clone();
        let parts: Vec<Part> = pieces.iter().flat_map(parts).collect();
        futures::stream::iter(parts)
            .map(move |part| lane.clone().get(part, Arc::clone(&ahead)))
            .buffered(self.gets_max)
            .boxed()
    }

    async fn get(self, part: Part, ahead: Arc<Semaphore>) -> Result<Chunk, ExchangeError> {
        let (key, etag, range) = match part {
            Part::Here(bytes) => return Ok(Chunk { bytes, _room: None }),
            Part::There {
                piece,
                key,
                etag,
                range,
            } => (
                Get {
                    piece,
                    key: key.clone(),
                },
                etag,
                range,
            ),
        };
        // In order and fair: the chunk that the decoder waits for is never behind one that it does not wait for.
        let units = (range.end - range.start).div_ceil(UNIT_BYTES);
        let units = units.min(u64::from(self.ahead_units_max)) as u32;
        let room = ahead.acquire_many_owned(units).await.expect("never closed");
        let bytes = self.get_range(&key.key, etag, range).await;
        let bytes = bytes.map_err(|error| key.piece.unreadable(error))?;
        Ok(Chunk {
            bytes,
            _room: Some(room),
        })
    }

    /// A task of its own, so that bytes arrive while the stream's consumer computes; it ends with the stream.
    async fn get_range(&self, key: &str, etag: String, range: Range<u64>) -> Result<Bytes, StoreError> {
        let (store, bucket, name) = (self.store.clone(), Arc::clone(&self.bucket), key.to_owned());
        let get = async move { store.get_range(&bucket, &name, range, Some(&etag)).await };
        let task = AbortOnDropHandle::new(tokio::spawn(get));
        task.await.unwrap_or_else(|lost| {
            Err(StoreError::Unavailable {
                bucket: self.bucket.to_string(),
                key: key.to_owned(),
                source: Box::new(lost),
            })
        })
    }
}

/// Some bytes of one piece, and the room they take until they are consumed.
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// One GET to be, or bytes that need none.
enum Part {
    Here(Bytes),
    There {
        piece: Arc<Piece>,
        key: String,
        etag: String,
        range: Range<u64>,
    },
}

struct Get {
    piece: Arc<Piece>,
    key: String,
}

fn parts(piece: &Piece) -> Vec<Part> {
    match &piece.place {
        Place::Inline(bytes) if bytes.is_empty() => Vec::new(),
        Place::Inline(bytes) => vec![Part::Here(bytes.clone())],
        Place::Object { key, etag, range } => {
            let owner = Arc::new(piece.clone());
            let part = |range| Part::There {
                piece: Arc::clone(&owner),
                key: key.clone(),
                etag: etag.clone(),
                range,
            };
            cut(range.clone()).map(part).collect()
        }
    }
}

/// Nearly equal cuts of at most [`GET_BYTES`].
fn cut(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let length = range.end - range.start;
    let count = length.div_ceil(GET_BYTES);
    let at = move |nth: u64| range.start + (u128::from(length) * u128::from(nth) / u128::from(count)) as u64;
    (0..count).map(move |nth| at(nth)..at(nth + 1))
}
