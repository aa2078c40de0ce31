//! Who watches a planning from outside: a process that plans for others tells them how far it has come, and holds the rest to a bound.

/// Hears of a planning's steps, on the thread that plans.
pub trait Watch: Send + Sync {
    /// The statement's tables are known, with so many files and row groups. What follows takes no answer from S3: only memory and time.
    fn looked_up(&self, pieces: u64);
}

/// Nobody watches.
pub(crate) struct Unwatched;

impl Watch for Unwatched {
    fn looked_up(&self, _: u64) {}
}
