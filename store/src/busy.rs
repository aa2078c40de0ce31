//! How long at least one read was under way. Reads overlap each other, so their durations do not add up; the time covered by them does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A clock that runs while a [`Reading`] lives.
#[derive(Debug, Default)]
pub(crate) struct Busy(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    under_way: u32,
    /// When the first of those under way began.
    since: Option<Instant>,
    total: Duration,
}

impl Busy {
    pub(crate) fn begin(self: &Arc<Self>) -> Reading {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way += 1;
        state.since.get_or_insert_with(Instant::now);
        Reading(Arc::clone(self))
    }

    pub(crate) fn total(&self) -> Duration {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.total + state.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// One read under way.
#[derive(Debug)]
pub(crate) struct Reading(Arc<Busy>);

impl Drop for Reading {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way -= 1;
        if state.under_way == 0
            && let Some(since) = state.since.take()
        {
            state.total += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests;
