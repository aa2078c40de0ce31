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

/// What became of a change of visibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Done,
    NotInFlight,
}

pub(crate) struct Draft {
    pub id: String,
    pub body: String,
    pub attributes: MessageAttributes,
    pub sent_ms: u64,
    pub delay: Duration,
}

impl Messages {
    pub fn send(&mut self, now: Instant, draft: Draft) {
        let number = self.number_next;
        self.number_next += 1;
        let visible_at = now + draft.delay;
        self.by_time.insert((visible_at, number));
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
        self.by_number.insert(number, message);
    }

    /// Takes up to `count_max` messages that may be received now and hides them for `visibility`. `None` at the in-flight limit.
    pub fn receive(
        &mut self,
        now: Instant,
        now_ms: u64,
        count_max: usize,
        visibility: Duration,
    ) -> Option<Vec<(Receipt, Message)>> {
        let due: Vec<_> = self
            .by_time
            .range(..=(now, u64::MAX))
            .take(count_max)
            .copied()
            .collect();
        if !due.is_empty() && self.census(now).in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        let take = |(visible_at, number): (Instant, u64)| {
            let message = self
                .by_number
                .get_mut(&number)
                .expect("both maps hold the same messages");
            message.receive_count += 1;
            message.first_received_ms.get_or_insert(now_ms);
            message.visible_at = now + visibility;
            let taken = (
                Receipt {
                    number,
                    receive_count: message.receive_count,
                },
                message.clone(),
            );
            self.by_time.remove(&(visible_at, number));
            self.by_time.insert((now + visibility, number));
            taken
        };
        Some(due.into_iter().map(take).collect())
    }

    /// Deletes what the receipt names. A stale receipt deletes nothing, which is no error.
    pub fn delete(&mut self, receipt: Receipt) {
        if self.is_current(receipt)
            && let Some(message) = self.by_number.remove(&receipt.number)
        {
            self.by_time.remove(&(message.visible_at, receipt.number));
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
    }

    /// Drops what was sent longer ago than `retention`.
    pub fn expire(&mut self, now: Instant, retention: Duration) {
        // Numbers rise with time, so the old ones stand first.
        while let Some(first) = self.by_number.first_entry()
            && now.duration_since(first.get().sent_at) > retention
        {
            let (number, message) = first.remove_entry();
            self.by_time.remove(&(message.visible_at, number));
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
