//! How a server and its planners write to each other: a text, and bytes of Arrow beside it.
//!
//! ```text
//! │ text length, u32 LE │ arrow length, u32 LE │ text: JSON │ arrow: an IPC stream │
//! ```

use std::io::{self, Write};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Either part. A planner's answer is bounded by its memory; this bounds what a broken one can make the server allocate.
const PART_BYTES_MAX: usize = 256 * 1024 * 1024;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub text: Vec<u8>,
    pub arrow: Vec<u8>,
}

impl Frame {
    pub fn of(text: Vec<u8>) -> Frame {
        Frame {
            text,
            arrow: Vec::new(),
        }
    }

    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.head()?)?;
        to.write_all(&self.text)?;
        to.write_all(&self.arrow)?;
        to.flush()
    }

    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
        let mut head = [0; 8];
        from.read_exact(&mut head).await?;
        let (text, arrow) = lengths(head)?;
        let mut frame = Frame {
            text: vec![0; text],
            arrow: vec![0; arrow],
        };
        from.read_exact(&mut frame.text).await?;
        from.read_exact(&mut frame.arrow).await?;
        Ok(frame)
    }

    fn head(&self) -> io::Result<[u8; 8]> {
        let (text, arrow) = (length(&self.text)?, length(&self.arrow)?);
        let mut head = [0; 8];
        head[..4].copy_from_slice(&text.to_le_bytes());
        head[4..].copy_from_slice(&arrow.to_le_bytes());
        Ok(head)
    }
}

fn length(part: &[u8]) -> io::Result<u32> {
    let length = Some(part.len()).filter(|length| *length <= PART_BYTES_MAX);
    let length = length.and_then(|length| u32::try_from(length).ok());
    length.ok_or_else(|| io::Error::other(format!("a message of {} bytes is too long", part.len())))
}

fn lengths(head: [u8; 8]) -> io::Result<(usize, usize)> {
    let [a, b, c, d, e, f, g, h] = head;
    let lengths = [[a, b, c, d], [e, f, g, h]].map(|bytes| u32::from_le_bytes(bytes) as usize);
    match lengths.iter().all(|length| *length <= PART_BYTES_MAX) {
        true => Ok((lengths[0], lengths[1])),
        false => Err(io::Error::other("a message is longer than any may be")),
    }
}

#[cfg(test)]
mod tests;
