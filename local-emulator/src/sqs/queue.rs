//! One queue: its messages behind a lock, and the waiting of long polls.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;

use super::attributes::QueueAttributes;
use super::error::SqsError;
use super::messages::{Census, Draft, Message, Messages, Receipt, Take};

/// Between two purges of a queue.
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
    modified_s: u64,
    purged_at: Option<Instant>,
}

/// What a receive asks for; absent values are the queue's own.
#[derive(Clone)]
pub(crate) struct Ask {
    pub count_max: usize,
    pub visibility: Option<Duration>,
    pub wait: Option<Duration>,
    /// Where messages go that were received so often.
    pub dead_letters: Option<(u64, Arc<Queue>)>,
    pub is_reversed: bool,
}

impl Queue {
    pub fn new(name: String, attributes: QueueAttributes) -> Queue {
        let inner = Mutex::new(Inner {
            attributes,
            messages: Messages::default(),
            modified_s: epoch_ms() / 1000,
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

    pub fn set(&self, attributes: QueueAttributes) {
        let mut inner = self.lock();
        inner.attributes = attributes;
        inner.modified_s = epoch_ms() / 1000;
    }

    pub fn modified_s(&self) -> u64 {
        self.lock().modified_s
    }

    pub fn purge(&self) -> Result<(), SqsError> {
        let mut inner = self.lock();
        if inner.purged_at.is_some_and(|at| at.elapsed() < PURGE_PAUSE) {
            return Err(SqsError::purge_in_progress(&self.name));
        }
        inner.purged_at = Some(Instant::now());
        inner.messages.purge();
        Ok(())
    }

    pub fn send(&self, draft: Draft) {
        self.lock().messages.send(Instant::now(), draft);
        self.changed.notify_waiters();
    }

    /// Receives at once if it can, else waits as long as asked for the first message.
    pub async fn receive(&self, ask: Ask) -> Result<Vec<(Receipt, Message)>, SqsError> {
        let until = Instant::now() + ask.wait.unwrap_or_else(|| self.attributes().wait());
        loop {
            // Registered before the look, so that a message sent in between wakes it.
            let changed = self.changed.notified();
            let (received, next_at) = self.try_receive(&ask)?;
            let now = Instant::now();
            if !received.is_empty() || now >= until {
                return Ok(received);
            }
            let wake_at = next_at.map_or(until, |next_at| next_at.min(until));
            let _ = tokio::time::timeout_at(wake_at.into(), changed).await;
        }
    }

    fn try_receive(&self, ask: &Ask) -> Result<(Vec<(Receipt, Message)>, Option<Instant>), SqsError> {
        let mut inner = self.lock();
        let now = Instant::now();
        let retention = inner.attributes.retention();
        inner.messages.expire(now, retention);
        let take = Take {
            count_max: ask.count_max,
            visibility: ask.visibility.unwrap_or_else(|| inner.attributes.visibility()),
            receives_max: ask.dead_letters.as_ref().map(|(receives_max, _)| *receives_max),
            is_reversed: ask.is_reversed,
        };
        let taken = inner.messages.receive(now, epoch_ms(), take);
        let taken = taken.ok_or_else(SqsError::over_limit)?;
        let next_at = inner.messages.next_at();
        // Queues may be each other's dead-letter queue: never hold both locks.
        drop(inner);
        if let Some((_, queue)) = &ask.dead_letters
            && !taken.dead.is_empty()
        {
            queue.adopt(taken.dead);
        }
        Ok((taken.live, next_at))
    }

    fn adopt(&self, dead: Vec<Message>) {
        self.change(|messages, now| dead.into_iter().for_each(|message| messages.adopt(now, message)));
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Messages, Instant) -> T) -> T {
        let changed = change(&mut self.lock().messages, Instant::now());
        self.changed.notify_waiters();
        changed
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
