//! From pieces to batches: decodes in order and joins small blocks, since many producers times many partitions make small ones. A damaged block
//! is asked for once more before its object counts as corrupt.

use super::BatchStream;
use super::fetch::{Chunk, Lane};
use super::piece::{Decoder, Piece, Step};
use crate::ExchangeError;
use crate::format::wire::Wire;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use futures::stream::{BoxStream, StreamExt};
use std::collections::VecDeque;

/// A batch of at least this many rows is passed on as it is; smaller ones are joined until they have as many.
const ROWS_ENOUGH: usize = 4_096;

/// One stream's state.
struct Reader {
    lane: Lane,
    chunks: BoxStream<'static, Result<Chunk, ExchangeError>>,
    pieces: VecDeque<Piece>,
    decoder: Option<Decoder>,
    wire: Wire,
    small: Vec<RecordBatch>,
    small_rows: usize,
}

/// The batches of the pieces, in the reader's declared types.
pub(super) fn batches(lane: Lane, pieces: Vec<Piece>, wire: Wire) -> BatchStream {
    let pieces: Vec<Piece> = pieces
        .into_iter()
        .filter(|piece| piece.len_bytes() > 0 || piece.rows() > 0)
        .collect();
    let reader = Reader {
        chunks: lane.chunks(&pieces),
        lane,
        pieces: pieces.into(),
        decoder: None,
        wire,
        small: Vec::new(),
        small_rows: 0,
    };
    let batches = futures::stream::try_unfold(Some(reader), |reader| async move {
        let Some(mut reader) = reader else { return Ok(None) };
        match reader.next().await? {
            Some(batch) => Ok(Some((batch, Some(reader)))),
            None => Ok(reader.joined()?.map(|rest| (rest, None))),
        }
    });
    batches.boxed()
}

impl Reader {
    /// The next batch that is large enough; `None` when everything is read, small rest apart.
    async fn next(&mut self) -> Result<Option<RecordBatch>, ExchangeError> {
        while let Some(batch) = self.decode().await? {
            self.small_rows += batch.num_rows();
            self.small.push(batch);
            if self.small_rows >= ROWS_ENOUGH {
                return self.joined();
            }
        }
        Ok(None)
    }

    /// The next block's rows, in wire types.
    async fn decode(&mut self) -> Result<Option<RecordBatch>, ExchangeError> {
        loop {
            let Some(decoder) = &mut self.decoder else {
                match self.pieces.pop_front() {
                    Some(piece) => self.decoder = Some(Decoder::new(piece)),
                    None => return Ok(None),
                }
                continue;
            };
            match decoder.step(&self.wire) {
                Ok(Step::Batch(batch)) => return Ok(Some(batch)),
                Ok(Step::Done) => self.decoder = None,
                Ok(Step::Hungry) => match self.chunks.next().await {
                    Some(chunk) => decoder.feed(chunk?.bytes),
                    None => return Err(decoder.starved()),
                },
                Err(error @ ExchangeError::Corrupt { .. }) => match decoder.rest() {
                    Some(rest) => self.reread(&rest).await?,
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts new requests for the rest of the piece in the place of those that are under way for it.
    async fn reread(&mut self, rest: &Piece) -> Result<(), ExchangeError> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        let mut outstanding = decoder.outstanding_bytes();
        while outstanding > 0
            && let Some(chunk) = self.chunks.next().await
        {
            outstanding -= chunk?.bytes.len() as u64;
        }
        decoder.reread();
        let again = self.lane.chunks(std::slice::from_ref(rest));
        let chunks = std::mem::replace(&mut self.chunks, futures::stream::empty().boxed());
        self.chunks = again.chain(chunks).boxed();
        Ok(())
    }

    /// What has been collected, as one batch in the declared types.
    fn joined(&mut self) -> Result<Option<RecordBatch>, ExchangeError> {
        let small = std::mem::take(&mut self.small);
        self.small_rows = 0;
        let joined = match small.as_slice() {
            [] => return Ok(None),
            [one] => one.clone(),
            several => concat_batches(self.wire.wire_schema(), several).map_err(ExchangeError::Encode)?,
        };
        let batch = self.wire.unpack(&joined);
        batch.map(Some).map_err(|error| ExchangeError::Schema {
            message: error.to_string(),
        })
    }
}
