//! Streams a byte range of an object out of its data files. Small bodies are read at once, large ones in chunks on the blocking pool.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use s3s::dto::StreamingBlob;
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{Body, StdError};
use tokio::task::JoinHandle;

use super::object::{Object, Segment};

/// Bytes read per step. Small chunks (4 KiB) cost a factor of ten in throughput.
const CHUNK_BYTES: u64 = 512 << 10;
/// Up to here a body is read in one go on the caller's thread: cheaper than two thread hops, and the page cache mostly has it.
const INLINE_BYTES_MAX: u64 = 128 << 10;

/// The bytes `range` of `object`. Opens the first file at once, so that a missing file is an error and not a broken response.
pub(crate) fn body(object: &Object, range: Range<u64>) -> io::Result<StreamingBlob> {
    let mut reader = Reader::new(&object.segments, range);
    if reader.remaining <= INLINE_BYTES_MAX {
        return Ok(StreamingBlob::from(Body::from(reader.rest()?)));
    }
    reader.open()?;
    Ok(StreamingBlob::new(Chunks {
        remaining: reader.remaining as usize,
        state: State::Idle(Some(Box::new(reader))),
    }))
}

struct Reader {
    ahead: VecDeque<Piece>,
    current: Option<(File, u64)>,
    remaining: u64,
}

struct Piece {
    segment: Segment,
    range: Range<u64>,
}

impl Reader {
    fn new(segments: &[Segment], range: Range<u64>) -> Reader {
        let mut ahead = VecDeque::new();
        let mut start = 0;
        for segment in segments {
            let end = start + segment.size;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                ahead.push_back(Piece {
                    segment: segment.clone(),
                    range: from - start..to - start,
                });
            }
            start = end;
        }
        Reader {
            ahead,
            current: None,
            remaining: range.end - range.start,
        }
    }

    /// Makes the file that holds the next byte current. The piece keeps its file from being removed until it is open.
    fn open(&mut self) -> io::Result<()> {
        if self.current.is_none()
            && let Some(piece) = self.ahead.pop_front()
        {
            let mut file = File::open(&piece.segment.file.path)?;
            file.seek(SeekFrom::Start(piece.range.start))?;
            self.current = Some((file, piece.range.end - piece.range.start));
        }
        Ok(())
    }

    fn chunk(&mut self, bytes_max: u64) -> io::Result<Bytes> {
        self.open()?;
        let (file, left) = self
            .current
            .as_mut()
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let wanted = bytes_max.min(*left);
        let mut bytes = Vec::with_capacity(wanted as usize);
        if file.take(wanted).read_to_end(&mut bytes)? as u64 != wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *left -= wanted;
        self.remaining -= wanted;
        if *left == 0 {
            self.current = None;
        }
        Ok(bytes.into())
    }

    fn rest(&mut self) -> io::Result<Bytes> {
        let mut bytes = Vec::new();
        while self.remaining > 0 {
            let chunk = self.chunk(self.remaining)?;
            if self.remaining == 0 && bytes.is_empty() {
                return Ok(chunk);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }
}

struct Chunks {
    remaining: usize,
    state: State,
}

enum State {
    Idle(Option<Box<Reader>>),
    Reading(JoinHandle<(Box<Reader>, io::Result<Bytes>)>),
}

impl Stream for Chunks {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        if let State::Idle(reader) = &mut self.state {
            let mut reader = reader.take().expect("the reader comes back from every read");
            self.state = State::Reading(tokio::task::spawn_blocking(move || {
                let chunk = reader.chunk(CHUNK_BYTES);
                (reader, chunk)
            }));
        }
        let State::Reading(reading) = &mut self.state else {
            unreachable!("set just above")
        };
        let (reader, chunk) = ready!(Pin::new(reading).poll(context))?;
        self.state = State::Idle(Some(reader));
        // After an error there is nothing to add: hyper breaks the connection, and the client sees a short body.
        self.remaining = chunk.as_ref().map_or(0, |chunk| self.remaining - chunk.len());
        Poll::Ready(Some(chunk.map_err(StdError::from)))
    }
}

impl ByteStream for Chunks {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(self.remaining)
    }
}
