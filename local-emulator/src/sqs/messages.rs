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
    /// ARN of the queue from which it was moved here as a dead letter.
    pub source_arn: Option<String>,
    sent_at: Instant,
    visible_at: Instant,
}

/// How a receive takes messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Take {
    pub count_max: usize,
    pub visibility: Duration,
    /// A message that was received so often is a dead letter and is not received again.
    pub receive_count_max: Option<u64>,
}

/// What a receive found.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub received: Vec<(Receipt, Message)>,
    /// No longer in the queue: they belong to its dead-letter queue.
    pub dead: Vec<Message>,
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

#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub id: String,
    pub body: String,
    pub attributes: MessageAttributes,
    pub sent_ms: u64,
    pub delay: Duration,
    pub source_arn: Option<String>,
}

impl Draft {
    /// A dead letter on its way to the queue for such. It keeps its id and the time when it was first sent.
    pub fn dead_letter(message: Message, source_arn: String) -> Draft {
        Draft {
            id: message.id,
            body: message.body,
            attributes: message.attributes,
            sent_ms: message.sent_ms,
            delay: Duration::ZERO,
            source_arn: Some(source_arn),
        }
    }
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
            source_arn,
            ..
        } = draft;
        let message = Message {
            id,
            body,
            attributes,
            sent_ms,
            first_received_ms: None,
            receive_count: 0,
            source_arn,
            sent_at: now,
            visible_at,
        };
        self.by_number.insert(number, message);
    }

    /// Takes messages that may be received now and hides them. `None` at the in-flight limit.
    pub fn receive(&mut self, now: Instant, now_ms: u64, take: Take) -> Option<Taken> {
        if self.by_number.len() >= IN_FLIGHT_MAX && self.census(now).in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        let mut taken = Taken::default();
        // Looked up before any is hidden: one that is hidden for no time must not be received twice by one request.
        for due in self.due(now, take) {
            match self.is_dead(due.1, take) {
                true => taken.dead.push(self.remove(due)),
                false => taken.received.push(self.hide(due, now_ms, now + take.visibility)),
            }
        }
        Some(taken)
    }

    /// What may be received now, up to the last message that is wanted, dead letters among them.
    fn due(&self, now: Instant, take: Take) -> Vec<(Instant, u64)> {
        let mut wanted = take.count_max;
        let due = self.by_time.range(..=(now, u64::MAX));
        let due = due.take_while(|(_, number)| {
            let more = wanted > 0;
            wanted -= usize::from(more && !self.is_dead(*number, take));
            more
        });
        due.copied().collect()
    }

    fn is_dead(&self, number: u64, take: Take) -> bool {
        take.receive_count_max
            .is_some_and(|most| self.by_number[&number].receive_count >= most)
    }

    fn hide(&mut self, due: (Instant, u64), now_ms: u64, visible_at: Instant) -> (Receipt, Message) {
        self.by_time.remove(&due);
        self.by_time.insert((visible_at, due.1));
        let message = self
            .by_number
            .get_mut(&due.1)
            .expect("both maps hold the same messages");
        message.receive_count += 1;
        message.first_received_ms.get_or_insert(now_ms);
        message.visible_at = visible_at;
        let receipt = Receipt {
            number: due.1,
            receive_count: message.receive_count,
        };
        (receipt, message.clone())
    }

    fn remove(&mut self, due: (Instant, u64)) -> Message {
        self.by_time.remove(&due);
        self.by_number.remove(&due.1).expect("both maps hold the same messages")
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
