//! Rows of a result, one batch at a time, from any place that was reached before.

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use mayfly_protocol::{ErrorCode, QueryError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A result that is read batch by batch. A batch read twice from one position is the same batch.
#[async_trait]
pub trait Pages: Send + Sync + 'static {
    /// The batch at `position`, which moves behind it; none at the end.
    async fn next_batch(&self, position: &mut Position) -> Result<Option<RecordBatch>, QueryError>;

    /// Bytes of rows that are in memory as long as this is.
    fn held_bytes(&self) -> usize {
        0
    }
}

/// A place between two batches: whatever the source needs to find it again. The default is the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position(Value);

impl Position {
    /// What [`Position::set`] stored last; the default at the start.
    pub fn get<T: DeserializeOwned + Default>(&self) -> Result<T, QueryError> {
        match &self.0 {
            Value::Null => Ok(T::default()),
            value => T::deserialize(value).map_err(broken),
        }
    }

    pub fn set<T: Serialize>(&mut self, place: &T) -> Result<(), QueryError> {
        self.0 = serde_json::to_value(place).map_err(broken)?;
        Ok(())
    }
}

fn broken(cause: serde_json::Error) -> QueryError {
    QueryError::new(
        ErrorCode::GenericInternalError,
        format!("position in a result does not serialize: {cause}"),
    )
}

/// Batches in memory: what the control plane answers itself.
pub struct RowBatches(pub Vec<RecordBatch>);

#[async_trait]
impl Pages for RowBatches {
    async fn next_batch(&self, position: &mut Position) -> Result<Option<RecordBatch>, QueryError> {
        let index: usize = position.get()?;
        let batch = self.0.get(index).cloned();
        if batch.is_some() {
            position.set(&(index + 1))?;
        }
        Ok(batch)
    }

    fn held_bytes(&self) -> usize {
        self.0.iter().map(RecordBatch::get_array_memory_size).sum()
    }
}
