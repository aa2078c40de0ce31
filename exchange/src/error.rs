//! What can go wrong between two tasks, named by what to do next.

use mayfly_protocol::TaskId;
use mayfly_store::StoreError;

/// Why an output could not be written or an input could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The bytes are there and are not what their producer wrote: its task must run again.
    #[error("output of {producer} at {key} is corrupt: {message}")]
    Corrupt {
        producer: TaskId,
        key: String,
        message: String,
    },
    /// The object is gone or is another one by now: its producer's task must run again.
    #[error("output of {producer} at {key} is lost")]
    Lost {
        producer: TaskId,
        key: String,
        #[source]
        source: StoreError,
    },
    /// A result object, whose producer the reader does not know, is corrupt.
    #[error("result object {key} is corrupt: {message}")]
    ResultCorrupt { key: String, message: String },
    /// A result object is gone: it has outlived its query.
    #[error("result object {key} is lost")]
    ResultLost {
        key: String,
        #[source]
        source: StoreError,
    },
    #[error("a row takes {bytes} bytes, more than the {bytes_max} that a block may hold")]
    RowTooLarge { bytes: u64, bytes_max: u64 },
    /// The task writes more than its disk may hold.
    #[error("spilled output exceeds {bytes_max} bytes")]
    SpillFull { bytes_max: u64 },
    #[error("cannot spill to local disk")]
    Spill(#[source] std::io::Error),
    /// Columns that the format cannot carry, or that differ between writer and reader: a fault of the plan.
    #[error("schema: {message}")]
    Schema { message: String },
    /// A row was given to a partition that the exchange does not have.
    #[error("partition {partition} of {partitions}")]
    Partition { partition: u32, partitions: u32 },
    #[error("cannot encode a batch")]
    Encode(#[source] arrow::error::ArrowError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ExchangeError {
    /// Whether the same task may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            ExchangeError::Store(error) => error.is_transient(),
            _ => false,
        }
    }
}
