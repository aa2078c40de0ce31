//! An attempt in flight: what it was pinned to, and what it can have cost when it never answers.

use mayfly_protocol::{Digest, EpochMs, FunctionSize, Meter};

/// What an attempt in flight holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// One of the slots, for as long as it takes.
    Slot,
    /// A place beside the slots, for a short time.
    Short,
}

#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub number: u32,
    /// Version of the stage's inputs at launch; older than the stage's means stale.
    pub version: u64,
    pub pin: Digest,
    pub size: FunctionSize,
    pub launched: EpochMs,
    /// Bytes that it was told to read: of splits as planned, of slices encoded.
    pub input_bytes: u64,
    /// A second attempt beside one that straggles. It is none any more when that one has failed.
    pub is_copy: bool,
    /// The slot that it holds.
    pub turn: Turn,
    /// It has less time than it would have in a slot.
    pub is_cut: bool,
    /// How long it may run.
    pub time_ms: u64,
    /// When its answer is no longer awaited.
    pub expires: EpochMs,
}

impl Attempt {
    /// The most that an attempt without an answer is billed: it ran until nobody waited for it.
    pub fn bound(&self) -> Meter {
        let billed_ms = self.expires.0.saturating_sub(self.launched.0);
        Meter {
            invocations: 1,
            billed_ms,
            billed_mb_ms: billed_ms * u64::from(self.size.memory_mb()),
            bounded: 1,
            ..Meter::default()
        }
    }
}
