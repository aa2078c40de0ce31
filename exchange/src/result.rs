//! Reading a query's result page by page (signatures first).

use crate::ExchangeError;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use mayfly_protocol::Output;
use mayfly_store::Store;
use serde::{Deserialize, Serialize};

/// A place in a result: between two rows. The default is its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Ordinal of the output.
    pub output: u32,
    /// Offset of a block within the output's data.
    pub offset: u64,
    /// Rows of that block that lie before the place.
    pub row: u32,
}

/// Reads result outputs one after another.
pub struct ResultReader {}

impl ResultReader {
    pub fn new(_store: Store, _bucket: String, _outputs: Vec<Output>, _schema: SchemaRef) -> ResultReader {
        unimplemented!()
    }

    /// The rows from the place to the end of its block; moves the place behind them. `None` at the end.
    pub async fn next_batch(&self, _at: &mut Position) -> Result<Option<RecordBatch>, ExchangeError> {
        unimplemented!()
    }
}
