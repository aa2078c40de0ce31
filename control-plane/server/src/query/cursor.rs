//! A place between two rows of a result.

use crate::engine::{Pages, Position};
use arrow::record_batch::RecordBatch;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use mayfly_protocol::QueryError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Before row `row` of the batch that is read at `position`, the `ordinal`-th of the result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    position: Position,
    pub ordinal: u64,
    pub row: usize,
}

impl Cursor {
    /// For a URI; none at the start.
    pub fn to_text(&self) -> Option<String> {
        let json = serde_json::to_vec(self).expect("numbers and JSON make JSON");
        (*self != Cursor::default()).then(|| BASE64_URL_SAFE_NO_PAD.encode(json))
    }

    pub fn from_text(text: &str) -> Option<Cursor> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Whether `self` lies before `other`.
    pub fn is_before(&self, other: &Cursor) -> bool {
        (self.ordinal, self.row) < (other.ordinal, other.row)
    }
}

/// A cursor with the batch that it stands in, so that a batch larger than a page is fetched once.
#[derive(Clone, Default)]
pub struct Scan {
    pub cursor: Cursor,
    held: Option<Held>,
}

#[derive(Clone)]
struct Held {
    batch: RecordBatch,
    after: Position,
}

impl Scan {
    pub fn at(cursor: Cursor) -> Scan {
        Scan { cursor, held: None }
    }

    /// The batch that holds the next row; none at the end.
    pub async fn batch(&mut self, rows: &Arc<dyn Pages>) -> Result<Option<RecordBatch>, QueryError> {
        loop {
            if self.held.is_none() {
                let mut after = self.cursor.position.clone();
                let Some(batch) = rows.next_batch(&mut after).await? else {
                    return Ok(None);
                };
                self.held = Some(Held { batch, after });
            }
            match &self.held {
                Some(held) if self.cursor.row < held.batch.num_rows() => return Ok(Some(held.batch.clone())),
                _ => self.step(),
            }
        }
    }

    /// Of the batch that is held.
    pub fn held_bytes(&self) -> usize {
        let batch = self.held.as_ref().map(|held| &held.batch);
        batch.map_or(0, RecordBatch::get_array_memory_size)
    }

    /// Behind the batch that is held.
    fn step(&mut self) {
        if let Some(held) = self.held.take() {
            self.cursor = Cursor {
                position: held.after,
                ordinal: self.cursor.ordinal + 1,
                row: 0,
            };
        }
    }
}
