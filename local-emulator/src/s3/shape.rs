//! Bodies that arrive otherwise than they were sent: cut short under the right length, with a flipped bit, or slowly. Knows no request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, stream};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::StreamBody;
use s3s::{Body, StdError};

/// Bytes of a slow body between two pauses.
const SLOW_CHUNK_BYTES: usize = 64 << 10;
const CUT_PAUSE: Duration = Duration::from_millis(20);

/// What happens to a body on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Ends, as an error, before this byte.
    CutAt(u64),
    /// This bit is flipped, counted from the first of the body.
    FlipBit(u64),
    /// No faster than this.
    Slow { bytes_per_s: u64 },
}

/// The same body, shaped; its announced length stays.
pub(super) fn shaped(body: Body, shape: Shape) -> Body {
    let size = HttpBody::size_hint(&body);
    let shaped: Pin<Box<dyn HttpBody<Data = Bytes, Error = StdError> + Send>> = match shape {
        Shape::CutAt(at) => Box::pin(cut(body, at)),
        Shape::FlipBit(bit) => Box::pin(flipped(body, bit)),
        Shape::Slow { bytes_per_s } => Box::pin(slow(body, bytes_per_s)),
    };
    Body::http_body_unsync(Sized { shaped, size })
}

/// Keeps the length that the original announced: it is what `Content-Length` said.
struct Sized {
    shaped: Pin<Box<dyn HttpBody<Data = Bytes, Error = StdError> + Send>>,
    size: SizeHint,
}

impl HttpBody for Sized {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        self.shaped.as_mut().poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

/// What comes before the cut, then an error. The pause lets what came before it leave, headers too: the client shall see a short body and
/// not a connection that was lost before its answer.
fn cut(body: Body, at: u64) -> impl HttpBody<Data = Bytes, Error = StdError> + Send {
    let mut left = at;
    let kept = data(body).map(move |chunk| {
        let mut chunk = chunk?;
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= chunk.len() as u64;
        Ok(Frame::data(chunk))
    });
    let kept = kept.take_while(|frame| {
        let more = frame
            .as_ref()
            .map_or(true, |frame| frame.data_ref().is_some_and(|data| !data.is_empty()));
        async move { more }
    });
    let end = stream::once(async {
        tokio::time::sleep(CUT_PAUSE).await;
        Err::<Frame<Bytes>, StdError>("the body was cut short by a fault".into())
    });
    StreamBody::new(kept.chain(end))
}

fn flipped(body: Body, bit: u64) -> impl HttpBody<Data = Bytes, Error = StdError> + Send {
    let mut start = 0;
    StreamBody::new(data(body).map(move |chunk| {
        let chunk = chunk?;
        let at = (bit / 8).checked_sub(start).map(|at| at as usize);
        start += chunk.len() as u64;
        Ok(Frame::data(match at {
            Some(at) if at < chunk.len() => {
                let mut bytes = BytesMut::from(&chunk[..]);
                bytes[at] ^= 1 << (bit % 8);
                bytes.freeze()
            }
            _ => chunk,
        }))
    }))
}

/// The body's bytes, without trailers.
fn data(body: Body) -> impl Stream<Item = Result<Bytes, StdError>> + Send {
    http_body_util::BodyStream::new(body).filter_map(async |frame| match frame.map(Frame::into_data) {
        Ok(Ok(data)) => Some(Ok(data)),
        Ok(Err(_)) => None,
        Err(error) => Some(Err(error)),
    })
}

/// Chunks, each after as long as it takes at that rate.
fn slow(body: Body, bytes_per_s: u64) -> impl HttpBody<Data = Bytes, Error = StdError> + Send {
    let chunks = data(body).flat_map(|chunk| {
        let pieces = match chunk {
            Ok(data) => pieces(data).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(pieces)
    });
    let paced = chunks.then(move |chunk: Result<Bytes, StdError>| -> BoxFuture<'static, _> {
        let bytes = chunk.as_ref().map_or(0, Bytes::len);
        let pause = Duration::from_secs_f64(bytes as f64 / bytes_per_s.max(1) as f64);
        async move {
            tokio::time::sleep(pause).await;
            chunk.map(Frame::data)
        }
        .boxed()
    });
    StreamBody::new(paced)
}

fn pieces(mut data: Bytes) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    while !data.is_empty() {
        pieces.push(data.split_to(data.len().min(SLOW_CHUNK_BYTES)));
    }
    pieces
}

#[cfg(test)]
mod tests;
