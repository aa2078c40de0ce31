//! What an environment wrote to stdout and stderr: the last 4 KB, from which a log tail is cut.

use std::collections::VecDeque;
use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::Mutex;

use tokio::net::unix::pipe::Receiver;

/// Bytes of a log tail, as on AWS.
pub(crate) const TAIL_BYTES_MAX: usize = 4096;
const READ_BYTES: usize = 16 << 10;
/// Reads in a row: twice what a pipe holds. A writer that never stops must not hold the lock for ever.
const READS_MAX: usize = 8;

pub(crate) struct Output {
    pipe: Receiver,
    function: String,
    tail: Mutex<VecDeque<u8>>,
}

impl Output {
    /// One pipe for both streams keeps them in the order they were written.
    pub fn new(function: &str) -> io::Result<(Output, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((
            Output {
                pipe,
                function: function.to_owned(),
                tail: Mutex::default(),
            },
            writer,
        ))
    }

    /// Takes what is written until every writer has closed its end.
    pub async fn follow(&self) {
        while self.pipe.readable().await.is_ok() {
            if self.absorb(|bytes| self.pipe.try_read(bytes)).is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Takes what a full pipe holds, so that a tail cut now lacks nothing that a frozen or dead writer wrote. Reads the pipe itself: the
    /// runtime may not have noticed yet that there is something to read.
    pub fn drain(&self) {
        // At the end of the pipe there is nothing more to take.
        let _ = self.absorb(|bytes| nix::unistd::read(&self.pipe, bytes).map_err(io::Error::from));
    }

    fn absorb(&self, read: impl Fn(&mut [u8]) -> io::Result<usize>) -> io::Result<()> {
        let mut tail = self.tail.lock().expect("no holder of the tail panics");
        let mut bytes = [0; READ_BYTES];
        for _ in 0..READS_MAX {
            match read(&mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    let text = String::from_utf8_lossy(&bytes[..count]);
                    tracing::debug!(function = %self.function, output = %text.trim_end(), "function wrote");
                    push(&mut tail, &bytes[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Adds a line of the platform's own.
    pub fn note(&self, line: &str) {
        push(
            &mut self.tail.lock().expect("no holder of the tail panics"),
            line.as_bytes(),
        );
    }

    pub fn clear(&self) {
        self.tail.lock().expect("no holder of the tail panics").clear();
    }

    pub fn tail(&self) -> Vec<u8> {
        self.tail
            .lock()
            .expect("no holder of the tail panics")
            .iter()
            .copied()
            .collect()
    }
}

fn push(tail: &mut VecDeque<u8>, bytes: &[u8]) {
    let kept = &bytes[bytes.len().saturating_sub(TAIL_BYTES_MAX)..];
    let excess = (tail.len() + kept.len()).saturating_sub(TAIL_BYTES_MAX);
    tail.drain(..excess);
    tail.extend(kept);
}
