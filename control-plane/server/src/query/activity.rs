//! When somebody last asked for a query. A poll that is still open counts as asking.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub struct Activity {
    last: Mutex<Instant>,
    open: AtomicUsize,
}

impl Activity {
    pub fn new() -> Activity {
        Activity {
            last: Mutex::new(Instant::now()),
            open: AtomicUsize::new(0),
        }
    }

    pub fn touch(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Until the guard is dropped, also by a client that hangs up.
    pub fn poll(&self) -> OpenPoll<'_> {
        self.touch();
        self.open.fetch_add(1, Ordering::AcqRel);
        OpenPoll(self)
    }

    pub fn idle(&self) -> Duration {
        match self.open.load(Ordering::Acquire) {
            0 => self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed(),
            _ => Duration::ZERO,
        }
    }
}

pub struct OpenPoll<'a>(&'a Activity);

impl Drop for OpenPoll<'_> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}
