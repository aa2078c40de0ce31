//! What must not happen, and when it did.

use mayfly_protocol::EpochMs;
use std::fmt;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When it was noticed.
    pub at: EpochMs,
    /// What was broken, naming the query, task or attempt.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t={}.{:03} s {}", self.at.0 / 1_000, self.at.0 % 1_000, self.what)
    }
}

impl std::error::Error for Violation {}

/// A rule that does not know the time: the auditor adds it.
pub(crate) type Rule = Result<(), String>;

/// Fails with the message unless the condition holds.
pub(crate) fn must(holds: bool, what: impl FnOnce() -> String) -> Rule {
    if holds { Ok(()) } else { Err(what()) }
}
