//! The messages of one queue and when each may be received. Time is an argument; nothing here waits or locks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::wire::MessageAttributes;

/// Messages received and not yet deleted; as on AWS for a standard queue.
const IN_FLIGHT_MAX: usize = 120_000;

#[derive(Debug, Default)]
pub(crate) struct Messages {
    by_number: BTreeMap<u64, Message>,
    /// Every message, by the moment from which it may be received.
    by_time: BTreeSet<(Instant, u64)>,
    /// Every message, by the moment it was first sent: redrive keeps it.
    by_age: BTreeSet<(Instant, u64)>,
    number_next: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub id: String,
    pub body: String,
    pub attributes: MessageAttributes,
    /// Since the epoch.
    pub sent_ms: u64,
    pub first_received_ms: Option<u64>,
    pub receive_count: u64,
    sent_at: Instant,
    visible_at: Instant,
}

/// Names one receive of one message: a later receive makes it stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub number: u64,
    pub receive_count: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

/// How messages are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Take {
    pub count_max: usize,
    pub visibility: Duration,
    /// Received so often, a message is dead: it leaves the queue instead.
    pub receives_max: Option<u64>,
    /// The newest first, which only a fault asks for.
    pub is_reversed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub live: Vec<(Receipt, Message)>,
    pub dead: Vec<Message>,
}

/// What became of a change of visibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Done,
    NotInFlight,
}

#[derive(Clone)]
pub(crate) struct Draft {
    pub id: String,
    pub body: String,
    pub attributes: MessageAttributes,
    pub sent_ms: u64,
    pub delay: Duration,
}

impl Messages {
    pub fn send(&mut self, now: Instant, draft: Draft) {
        let visible_at = now + draft.delay;
        let Draft {
            id,
            body,
            attributes,
            sent_ms,
            ..
        } = draft;
        let message = Message {
            id,
            body,
            attributes,
            sent_ms,
            first_received_ms: None,
            receive_count: 0,
            sent_at: now,
            visible_at,
        };
        self.insert(message);
    }

    /// Takes in a message that another queue gave up, visible at once.
    pub fn adopt(&mut self, now: Instant, message: Message) {
        self.insert(Message {
            receive_count: 0,
            first_received_ms: None,
            visible_at: now,
            ..message
        });
    }

    fn insert(&mut self, message: Message) {
        let number = self.number_next;
        self.number_next += 1;
        self.by_time.insert((message.visible_at, number));
        self.by_age.insert((message.sent_at, number));
        self.by_number.insert(number, message);
    }

    fn remove(&mut self, number: u64) -> Option<Message> {
        let message = self.by_number.remove(&number)?;
        self.by_time.remove(&(message.visible_at, number));
        self.by_age.remove(&(message.sent_at, number));
        Some(message)
    }

    /// Takes messages that may be received now and hides them. `None` at the in-flight limit.
    pub fn receive(&mut self, now: Instant, now_ms: u64, take: Take) -> Option<Taken> {
        let (due, dead) = self.due(now, take);
        // The census looks at every hidden message, so it is asked only where the limit is within reach.
        let may_be_full = self.by_number.len() >= IN_FLIGHT_MAX && !due.is_empty();
        if may_be_full && self.census(now).in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        let dead = dead.into_iter().filter_map(|number| self.remove(number)).collect();
        let hide = |number| self.hide(number, now, now_ms, take.visibility);
        let live = due.into_iter().map(hide).collect();
        Some(Taken { live, dead })
    }

    /// Numbers of the messages to hand out, and of those that were handed out too often.
    fn due(&self, now: Instant, take: Take) -> (Vec<u64>, Vec<u64>) {
        let (mut due, mut dead) = (Vec::new(), Vec::new());
        let mut range = self.by_time.range(..=(now, u64::MAX));
        while due.len() < take.count_max
            && let Some((_, number)) = if take.is_reversed {
                range.next_back()
            } else {
                range.next()
            }
        {
            let count = self.by_number[number].receive_count;
            let is_dead = take.receives_max.is_some_and(|most| count >= most);
            if is_dead { &mut dead } else { &mut due }.push(*number);
        }
        (due, dead)
    }

    fn hide(&mut self, number: u64, now: Instant, now_ms: u64, visibility: Duration) -> (Receipt, Message) {
        let message = self
            .by_number
            .get_mut(&number)
            .expect("all maps hold the same messages");
        self.by_time.remove(&(message.visible_at, number));
        message.receive_count += 1;
        message.first_received_ms.get_or_insert(now_ms);
        message.visible_at = now + visibility;
        self.by_time.insert((message.visible_at, number));
        let receive_count = message.receive_count;
        (Receipt { number, receive_count }, message.clone())
    }

    /// Deletes what the receipt names. A stale receipt deletes nothing, which is no error.
    pub fn delete(&mut self, receipt: Receipt) {
        if self.is_current(receipt) {
            self.remove(receipt.number);
        }
    }

    pub fn change_visibility(&mut self, now: Instant, receipt: Receipt, visibility: Duration) -> Change {
        let is_current = self.is_current(receipt);
        match self.by_number.get_mut(&receipt.number) {
            Some(message) if is_current && message.visible_at > now => {
                self.by_time.remove(&(message.visible_at, receipt.number));
                message.visible_at = now + visibility;
                self.by_time.insert((message.visible_at, receipt.number));
                Change::Done
            }
            _ => Change::NotInFlight,
        }
    }

    pub fn purge(&mut self) {
        self.by_number.clear();
        self.by_time.clear();
        self.by_age.clear();
    }

    /// Drops what was sent longer ago than `retention`.
    pub fn expire(&mut self, now: Instant, retention: Duration) {
        while let Some((sent_at, number)) = self.by_age.first().copied()
            && now.duration_since(sent_at) > retention
        {
            self.remove(number);
        }
    }

    /// When the next message becomes visible.
    pub fn next_at(&self) -> Option<Instant> {
        self.by_time.first().map(|(visible_at, _)| *visible_at)
    }

    pub fn census(&self, now: Instant) -> Census {
        let mut census = Census {
            visible: self.by_number.len(),
            ..Census::default()
        };
        for (_, number) in self.by_time.range((now, u64::MAX)..) {
            census.visible -= 1;
            match self.by_number[number].receive_count {
                0 => census.delayed += 1,
                _ => census.in_flight += 1,
            }
        }
        census
    }

    fn is_current(&self, receipt: Receipt) -> bool {
        let message = self.by_number.get(&receipt.number);
        message.is_some_and(|message| message.receive_count == receipt.receive_count)
    }
}
