//! Reads: whole objects, ranges, heads. A body that breaks off is resumed where it stopped, on the same ETag, so that no read is torn.

use crate::busy::Reading;
use crate::error::Place;
use crate::meter::Class;
use crate::{Store, StoreError};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use bytes::{Bytes, BytesMut};
use futures::Stream;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub bytes: Bytes,
    pub etag: String,
}

/// What is known of an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub size_bytes: u64,
    pub etag: String,
}

/// Capacity that is reserved on a server's word alone.
const RESERVE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Which bytes a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    Range(Range<u64>),
    From(u64),
    Last(u64),
}

impl Wanted {
    fn header(&self) -> Option<String> {
        match self {
            Wanted::All => None,
            Wanted::Range(range) => Some(format!("bytes={}-{}", range.start, range.end - 1)),
            Wanted::From(start) => Some(format!("bytes={start}-")),
            Wanted::Last(length) => Some(format!("bytes=-{length}")),
        }
    }
}

/// Preconditions of a read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
}

/// Everything that a GET's or a HEAD's headers tell.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) size_bytes: u64,
    pub(crate) etag: String,
    pub(crate) last_modified: Option<DateTime>,
    pub(crate) writer: Option<String>,
    /// The bytes that the body brings.
    pub(crate) range: Range<u64>,
}

/// An answered GET whose body is still to be read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) facts: Facts,
    body: ByteStream,
    reading: Reading,
}

impl Store {
    /// The whole object.
    pub async fn get(&self, bucket: &str, key: &str) -> Result<Object, StoreError> {
        let opened = self.open(bucket, key, Wanted::All, Conditions::default()).await?;
        let etag = opened.facts.etag.clone();
        let bytes = self.collect(bucket, key, opened).await?;
        Ok(Object { bytes, etag })
    }

    /// Exactly the bytes of `range`, of exactly the object that `if_match` names. An empty range costs nothing.
    pub async fn get_range(
        &self,
        bucket: &str,
        key: &str,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<Bytes, StoreError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let conditions = Conditions {
            if_match: if_match.map(str::to_owned),
            ..Conditions::default()
        };
        let opened = self.open(bucket, key, Wanted::Range(range.clone()), conditions).await?;
        if opened.facts.range != range {
            let message = format!("bytes {:?} instead of {range:?}", opened.facts.range);
            return Err(Place { bucket, key }.corrupt(message));
        }
        self.collect(bucket, key, opened).await
    }

    pub async fn head(&self, bucket: &str, key: &str) -> Result<Head, StoreError> {
        let facts = self.facts(bucket, key, Conditions::default()).await?;
        Ok(Head {
            size_bytes: facts.size_bytes,
            etag: facts.etag,
        })
    }

    /// HEAD, with everything it tells.
    pub(crate) async fn facts(&self, bucket: &str, key: &str, conditions: Conditions) -> Result<Facts, StoreError> {
        let answer = self
            .client()
            .head_object()
            .bucket(bucket)
            .key(key)
            .set_if_match(conditions.if_match)
            .set_if_none_match(conditions.if_none_match)
            .customize()
            .interceptor(self.metered(Class::Get))
            .send()
            .await
            .map_err(|error| Place { bucket, key }.error(error))?;
        let size_bytes = length(answer.content_length()).ok_or_else(|| Place { bucket, key }.corrupt("no length"))?;
        Ok(Facts {
            size_bytes,
            etag: answer.e_tag().unwrap_or_default().to_owned(),
            last_modified: answer.last_modified().copied(),
            writer: answer
                .metadata()
                .and_then(|metadata| metadata.get(crate::conditional::WRITER).cloned()),
            range: 0..size_bytes,
        })
    }

    /// GET up to its headers.
    pub(crate) async fn open(
        &self,
        bucket: &str,
        key: &str,
        wanted: Wanted,
        conditions: Conditions,
    ) -> Result<Opened, StoreError> {
        let place = Place { bucket, key };
        let reading = self.busy.begin();
        let request = self
            .client()
            .get_object()
            .bucket(bucket)
            .key(key)
            .set_range(wanted.header())
            .set_if_match(conditions.if_match)
            .set_if_none_match(conditions.if_none_match);
        let retried = Arc::new(AtomicBool::new(false));
        let send = || {
            let metered = self.metered(Class::Get).telling(&retried);
            request.clone().customize().interceptor(metered).send()
        };
        let answer = self.connection.hedging.first(send, &retried, || self.counters.hedge());
        let answer = answer.await.map_err(|error| place.error(error))?;
        let length = length(answer.content_length()).ok_or_else(|| place.corrupt("no length"))?;
        let (range, size_bytes) = match answer.content_range() {
            Some(text) => parse_content_range(text).ok_or_else(|| place.corrupt(format!("range {text:?}")))?,
            None => (0..length, length),
        };
        if range.end - range.start != length {
            return Err(place.corrupt(format!("{length} bytes for range {range:?}")));
        }
        let facts = Facts {
            size_bytes,
            etag: answer.e_tag().unwrap_or_default().to_owned(),
            last_modified: answer.last_modified().copied(),
            writer: None,
            range,
        };
        Ok(Opened {
            facts,
            body: answer.body,
            reading,
        })
    }

    /// The body of an opened GET, resumed if it breaks off; it ends after exactly the promised bytes or in an error.
    pub(crate) fn body(
        &self,
        bucket: &str,
        key: &str,
        opened: Opened,
    ) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + 'static {
        let body = Body {
            store: self.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            etag: opened.facts.etag,
            left: opened.facts.range,
            stream: opened.body,
            reading: opened.reading,
            breaks_left: self.connection.attempts_max,
        };
        futures::stream::try_unfold(body, |mut body| async move {
            Ok(body.next().await?.map(|chunk| (chunk, body)))
        })
    }

    async fn collect(&self, bucket: &str, key: &str, opened: Opened) -> Result<Bytes, StoreError> {
        let length = opened.facts.range.end - opened.facts.range.start;
        let mut whole = BytesMut::with_capacity(length.min(RESERVE_BYTES_MAX) as usize);
        let body = self.body(bucket, key, opened);
        let mut body = std::pin::pin!(body);
        while let Some(chunk) = futures::StreamExt::next(&mut body).await {
            whole.extend_from_slice(&chunk?);
        }
        Ok(whole.freeze())
    }
}

/// A body under way.
struct Body {
    store: Store,
    bucket: String,
    key: String,
    etag: String,
    left: Range<u64>,
    stream: ByteStream,
    reading: Reading,
    breaks_left: u32,
}

impl Body {
    /// The next chunk, or `None` after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while !self.left.is_empty() {
            match self.stream.next().await {
                Some(Ok(chunk)) => return self.take(chunk).map(Some),
                Some(Err(cause)) => self.resume(Box::new(cause)).await?,
                None => self.resume("the body ended early".into()).await?,
            }
        }
        Ok(None)
    }

    fn take(&mut self, chunk: Bytes) -> Result<Bytes, StoreError> {
        self.store.counters.read(chunk.len());
        self.left.start += chunk.len() as u64;
        if self.left.start > self.left.end {
            return Err(self.place().corrupt("more bytes than its header said"));
        }
        Ok(chunk)
    }

    /// Asks for what is left, of the same object.
    async fn resume(&mut self, cause: Box<dyn std::error::Error + Send + Sync>) -> Result<(), StoreError> {
        if self.breaks_left <= 1 {
            return Err(self.place().unavailable(cause));
        }
        self.breaks_left -= 1;
        tracing::debug!(bucket = self.bucket, key = self.key, %cause, "a body broke off; resuming");
        let conditions = Conditions {
            if_match: Some(self.etag.clone()),
            ..Conditions::default()
        };
        let wanted = Wanted::Range(self.left.clone());
        let opened = self.store.open(&self.bucket, &self.key, wanted, conditions).await?;
        if opened.facts.range != self.left {
            return Err(self.place().corrupt(format!("bytes {:?}", opened.facts.range)));
        }
        (self.stream, self.reading) = (opened.body, opened.reading);
        Ok(())
    }

    fn place(&self) -> Place<'_> {
        Place {
            bucket: &self.bucket,
            key: &self.key,
        }
    }
}

fn length(header: Option<i64>) -> Option<u64> {
    header.and_then(|length| u64::try_from(length).ok())
}

/// `bytes 3-9/1234` → `(3..10, 1234)`.
fn parse_content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    let size = size.parse().ok()?;
    (first <= last && last < size).then(|| (first..last + 1, size))
}
