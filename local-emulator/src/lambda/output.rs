//! What an environment wrote to stdout and stderr: the last 4 KB, from which a log tail is cut.

use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::sync::Mutex;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::unix::AsyncFd;

/// Bytes of a log tail, as on AWS.
pub(crate) const TAIL_BYTES_MAX: usize = 4096;
const READ_BYTES: usize = 16 << 10;
/// Reads of one drain: twice what a pipe holds. A writer that never stops must not hold the lock for ever.
const READS_MAX: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    Empty,
    More,
}

pub(crate) struct Output {
    pipe: AsyncFd<PipeReader>,
    function: String,
    tail: Mutex<VecDeque<u8>>,
}

impl Output {
    /// One pipe for both streams keeps them in the order they were written.
    pub fn new(function: &str) -> io::Result<(Output, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let output = Output { pipe: AsyncFd::new(reader)?, function: function.to_owned(), tail: Mutex::default() };
        Ok((output, writer))
    }

    /// Takes what is written until every writer has closed its end.
    pub async fn follow(&self) {
        while let Ok(mut ready) = self.pipe.readable().await {
            match self.drain() {
                Ok(Drained::Empty) => ready.clear_ready(),
                Ok(Drained::More) => tokio::task::yield_now().await,
                Err(_) => return,
            }
        }
    }

    /// Takes what a full pipe holds, so that a tail cut now lacks nothing that a frozen or dead writer wrote. Fails at the end of the pipe.
    pub fn drain(&self) -> io::Result<Drained> {
        let mut tail = self.tail.lock().expect("no holder of the tail panics");
        let mut bytes = [0; READ_BYTES];
        for _ in 0..READS_MAX {
            match (&mut self.pipe.get_ref()).read(&mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    let text = String::from_utf8_lossy(&bytes[..count]);
                    tracing::debug!(function = %self.function, output = %text.trim_end(), "function wrote");
                    push(&mut tail, &bytes[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Drained::Empty),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Drained::More)
    }

    /// Adds a line of the platform's own.
    pub fn note(&self, line: &str) {
        push(&mut self.tail.lock().expect("no holder of the tail panics"), line.as_bytes());
    }

    pub fn clear(&self) {
        self.tail.lock().expect("no holder of the tail panics").clear();
    }

    pub fn tail(&self) -> Vec<u8> {
        self.tail.lock().expect("no holder of the tail panics").iter().copied().collect()
    }
}

fn push(tail: &mut VecDeque<u8>, bytes: &[u8]) {
    let kept = &bytes[bytes.len().saturating_sub(TAIL_BYTES_MAX)..];
    let excess = (tail.len() + kept.len()).saturating_sub(TAIL_BYTES_MAX);
    tail.drain(..excess);
    tail.extend(kept);
}
