//! What can go wrong at SQS.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SqsFault {
    /// A message that was accepted is never delivered.
    Drop,
    /// A message is delivered once more, also after it was deleted.
    Duplicate,
    /// A receive takes the newest messages first, so that older ones come behind those sent after them.
    Reorder,
    /// A message becomes visible later than asked.
    Delay { ms: u64 },
    /// A receive answers at once and empty, whatever there is.
    EmptyReceive,
    /// 500 `InternalFailure`, nothing applied.
    InternalError,
}

impl SqsFault {
    pub(crate) fn is_of_send(&self) -> bool {
        matches!(self, SqsFault::Drop | SqsFault::Duplicate | SqsFault::Delay { .. })
    }

    pub(crate) fn is_of_receive(&self) -> bool {
        matches!(self, SqsFault::Reorder | SqsFault::EmptyReceive)
    }

    pub(crate) fn is_of_request(&self) -> bool {
        matches!(self, SqsFault::InternalError)
    }
}
