//! Bytes that arrive in chunks and leave in blocks. Copies only what straddles two chunks.

use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;

#[derive(Debug, Default)]
pub(crate) struct ByteQueue {
    chunks: VecDeque<Bytes>,
    len: usize,
}

impl ByteQueue {
    pub(crate) fn push(&mut self, chunk: Bytes) {
        self.len += chunk.len();
        if !chunk.is_empty() {
            self.chunks.push_back(chunk);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The first `N` bytes, left where they are; `None` while they have not arrived.
    pub(crate) fn peek<const N: usize>(&self) -> Option<[u8; N]> {
        if self.len < N {
            return None;
        }
        let mut head = [0; N];
        let mut filled = 0;
        for chunk in &self.chunks {
            let some = chunk.len().min(N - filled);
            head[filled..filled + some].copy_from_slice(&chunk[..some]);
            filled += some;
            if filled == N {
                break;
            }
        }
        Some(head)
    }

    /// Removes the first `length` bytes; `None` while they have not arrived.
    pub(crate) fn take(&mut self, length: usize) -> Option<Bytes> {
        if self.len < length {
            return None;
        }
        self.len -= length;
        let front = self.chunks.front_mut();
        match front {
            Some(front) if front.len() > length => Some(front.split_to(length)),
            Some(front) if front.len() == length => self.chunks.pop_front(),
            Some(_) => Some(self.join(length)),
            None => Some(Bytes::new()),
        }
    }

    /// The first `length` bytes out of several chunks, which are known to hold them.
    fn join(&mut self, length: usize) -> Bytes {
        let mut joined = BytesMut::with_capacity(length);
        while joined.len() < length {
            let front = self.chunks.front_mut().expect("the queue is at least as long");
            let some = front.len().min(length - joined.len());
            joined.extend_from_slice(&front[..some]);
            front.advance(some);
            if front.is_empty() {
                self.chunks.pop_front();
            }
        }
        joined.freeze()
    }
}
