//! The rows of one page, written from batches straight to bytes.

use super::cursor::{Cursor, Scan};
use crate::cell::RowWriter;
use crate::engine::Pages;
use crate::result::Shown;
use crate::settings::ROW_BYTES_MAX;
use mayfly_protocol::{ErrorCode, QueryError};
use std::sync::Arc;

/// Where a page ends.
pub enum Until {
    /// With the row that reaches so many bytes.
    Bytes(usize),
    /// Where it ended the first time.
    Place(Cursor),
}

/// `[1,"a"],[2,"b"]`, and where the next page starts.
pub struct Filled {
    pub rows: Vec<u8>,
    pub next: Scan,
    /// No row follows.
    pub is_last: bool,
}

/// The batch at the end of a page is held in [`Filled::next`]: memory stays within a page and a batch.
pub async fn fill(rows: &Arc<dyn Pages>, shown: &Shown, mut scan: Scan, until: Until) -> Result<Filled, QueryError> {
    let mut out = Vec::new();
    while let Some(batch) = scan.batch(rows).await? {
        if is_reached(&until, &out, &scan.cursor) {
            return Ok(Filled {
                rows: out,
                next: scan,
                is_last: false,
            });
        }
        let writer = RowWriter::new(&shown.columns, &batch, shown.precision)?;
        while scan.cursor.row < writer.rows() && !is_reached(&until, &out, &scan.cursor) {
            write(&writer, scan.cursor.row, &mut out)?;
            scan.cursor.row += 1;
        }
        // Encoding is work: let others on this thread take a turn between batches.
        tokio::task::yield_now().await;
    }
    Ok(Filled {
        rows: out,
        next: scan,
        is_last: true,
    })
}

fn is_reached(until: &Until, out: &[u8], cursor: &Cursor) -> bool {
    match until {
        Until::Bytes(bytes) => out.len() >= *bytes,
        Until::Place(place) => !cursor.is_before(place),
    }
}

fn write(writer: &RowWriter, row: usize, out: &mut Vec<u8>) -> Result<(), QueryError> {
    if !out.is_empty() {
        out.push(b',');
    }
    let start = out.len();
    writer.write(row, out);
    match out.len() - start <= ROW_BYTES_MAX {
        true => Ok(()),
        false => Err(QueryError::new(
            ErrorCode::RowTooLarge,
            format!(
                "a row of {} bytes is more than the {ROW_BYTES_MAX} that one answer holds",
                out.len() - start
            ),
        )),
    }
}
