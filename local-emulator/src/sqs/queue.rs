//! One queue: its messages behind a lock, and the waiting of long polls.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;

use super::attributes::QueueAttributes;
use super::error::SqsError;
use super::messages::{Census, Draft, Message, Messages, Receipt, Take, Taken};

/// Least time between two purges.
const PURGE_PAUSE: Duration = Duration::from_secs(60);

pub(crate) struct Queue {
    pub name: String,
    /// Seconds since the epoch.
    pub created_s: u64,
    inner: Mutex<Inner>,
    /// Wakes long polls when a message may have become visible sooner than they knew.
    changed: Notify,
}

struct Inner {
    attributes: QueueAttributes,
    messages: Messages,
    purged_at: Option<Instant>,
}

/// What a receive asks for; absent values are the queue's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub count_max: usize,
    pub visibility: Option<Duration>,
    pub wait: Option<Duration>,
    /// Set where there is a dead-letter queue to move to.
    pub receive_count_max: Option<u64>,
}

impl Queue {
    pub fn new(name: String, attributes: QueueAttributes) -> Queue {
        let inner = Mutex::new(Inner {
            attributes,
            messages: Messages::default(),
            purged_at: None,
        });
        Queue {
            name,
            created_s: epoch_ms() / 1000,
            inner,
            changed: Notify::new(),
        }
    }

    pub fn attributes(&self) -> QueueAttributes {
        self.lock().attributes.clone()
    }

    /// Changes the queue's attributes, all or none.
    pub fn set(&self, change: impl FnOnce(&mut QueueAttributes) -> Result<(), SqsError>) -> Result<(), SqsError> {
        change(&mut self.lock().attributes)
    }

    pub fn send(&self, draft: Draft) {
        self.lock().messages.send(Instant::now(), draft);
        self.changed.notify_waiters();
    }

    /// Receives at once if it can, else waits as long as asked for the first message. Dead letters are handed to `bury` as they are found.
    pub async fn receive(&self, ask: Ask, bury: impl Fn(Vec<Message>)) -> Result<Vec<(Receipt, Message)>, SqsError> {
        let until = Instant::now() + ask.wait.unwrap_or_else(|| self.attributes().wait());
        loop {
            // Registered before the look, so that a message sent in between wakes it.
            let changed = self.changed.notified();
            let (Taken { received, dead }, next_at) = self.try_receive(ask)?;
            if !dead.is_empty() {
                bury(dead);
            }
            let now = Instant::now();
            if !received.is_empty() || now >= until {
                return Ok(received);
            }
            let wake_at = next_at.map_or(until, |next_at| next_at.min(until));
            let _ = tokio::time::timeout_at(wake_at.into(), changed).await;
        }
    }

    fn try_receive(&self, ask: Ask) -> Result<(Taken, Option<Instant>), SqsError> {
        let mut inner = self.lock();
        let now = Instant::now();
        let take = Take {
            count_max: ask.count_max,
            visibility: ask.visibility.unwrap_or_else(|| inner.attributes.visibility()),
            receive_count_max: ask.receive_count_max,
        };
        let retention = inner.attributes.retention();
        inner.messages.expire(now, retention);
        let taken = inner.messages.receive(now, epoch_ms(), take);
        let taken = taken.ok_or_else(SqsError::over_limit)?;
        Ok((taken, inner.messages.next_at()))
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Messages, Instant) -> T) -> T {
        let changed = change(&mut self.lock().messages, Instant::now());
        self.changed.notify_waiters();
        changed
    }

    /// Forgets all messages; at most once a minute, as on AWS.
    pub fn purge(&self) -> Result<(), SqsError> {
        let mut inner = self.lock();
        let now = Instant::now();
        if inner.purged_at.is_some_and(|at| now.duration_since(at) < PURGE_PAUSE) {
            return Err(SqsError::purge_in_progress(&self.name));
        }
        inner.purged_at = Some(now);
        inner.messages.purge();
        Ok(())
    }

    pub fn census(&self) -> Census {
        self.lock().messages.census(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of a queue's lock panics")
    }
}

pub(crate) fn epoch_ms() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}
