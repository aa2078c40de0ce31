//! What can go wrong at SQS.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SqsFault {
    /// A message that was accepted is never delivered.
    Drop,
    /// A message is delivered once more, also after it was deleted.
    Duplicate,
    /// A message is delivered behind those sent after it.
    Reorder,
    /// A message becomes visible later than asked.
    Delay { ms: u64 },
    /// A receive answers at once and empty, whatever there is.
    EmptyReceive,
    /// 500 `InternalFailure`, nothing applied.
    InternalError,
}

impl SqsFault {
    pub(super) fn strikes_a_send(&self) -> bool {
        match self {
            SqsFault::Drop | SqsFault::Duplicate | SqsFault::Reorder | SqsFault::Delay { .. } => true,
            SqsFault::EmptyReceive | SqsFault::InternalError => false,
        }
    }
}
