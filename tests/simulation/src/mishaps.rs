//! What goes wrong with coordinators, with their journal and with their queue, until everything is quiet. Swarm testing, as in
//! `faults`.

use crate::faults::Swarm;
use crate::heap::{Happening, Heap};
use crate::random::{chance, skewed};
use mayfly_protocol::EpochMs;
use rand::Rng;
use rand::rngs::SmallRng;
use std::time::Duration;

/// Clocks are wrong by up to so much, either way.
const SKEW_MS_MAX: i64 = 5_000;
const PAUSE_MS_MAX: u64 = 90_000;
const DOWN_MS_MAX: u64 = 40_000;

/// What happens to one coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It is gone, with all that it knew, for so long.
    Crash {
        down_ms: u64,
    },
    Restart,
    /// It stands still, and does not know.
    Pause {
        ms: u64,
    },
    Wake,
    /// Its clock is off by so much from now on.
    Jump {
        offset_ms: i64,
    },
}

/// Probabilities per request or message, unless stated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mishaps {
    pub coordinators: usize,
    /// From then on nothing here goes wrong any more.
    pub quiet_from: EpochMs,
    /// Per coordinator.
    crash: f64,
    pause: f64,
    skew: f64,
    /// It crashes as its record lands, before it hears of it.
    pub crash_at_write: f64,
    /// Per claim: it crashes before it has listed what there is.
    pub crash_after_claim: f64,
    /// Per query.
    pub submitted_twice: f64,
    pub canceled_at_end: f64,
    /// The record is refused, or nobody knows; it is not there.
    pub put_failed: f64,
    /// It is there, and nobody knows.
    pub put_unanswered: f64,
    pub put_conflict: f64,
    /// It lands after its writer has given up waiting.
    pub put_slow: f64,
    pub read_failed: f64,
    /// Per listing: one footer cannot be read, though another coordinator will.
    pub footer_unreadable: f64,
    pub message_lost: f64,
    pub message_duplicated: f64,
    pub message_late: f64,
}

impl Mishaps {
    pub fn draw(stream: &mut SmallRng) -> Mishaps {
        let coordinators = stream.random_range(1..=3);
        let quiet_from = EpochMs(stream.random_range(10_000..150_000));
        let mut swarm = Swarm(stream);
        Mishaps {
            coordinators,
            quiet_from,
            crash: swarm.up_to(0.95),
            pause: swarm.up_to(0.70),
            skew: swarm.up_to(0.80),
            crash_at_write: swarm.up_to(0.10),
            crash_after_claim: swarm.up_to(0.50),
            submitted_twice: swarm.up_to(0.10),
            canceled_at_end: swarm.up_to(0.10),
            put_failed: swarm.up_to(0.20),
            put_unanswered: swarm.up_to(0.30),
            put_conflict: swarm.up_to(0.10),
            put_slow: swarm.up_to(0.10),
            read_failed: swarm.up_to(0.20),
            message_lost: swarm.up_to(0.30),
            message_duplicated: swarm.up_to(0.30),
            message_late: swarm.up_to(0.30),
            footer_unreadable: swarm.up_to(0.30),
        }
    }

    pub const NONE: Mishaps = Mishaps {
        coordinators: 2,
        quiet_from: EpochMs(0),
        crash: 0.0,
        pause: 0.0,
        skew: 0.0,
        crash_at_write: 0.0,
        crash_after_claim: 0.0,
        submitted_twice: 0.0,
        canceled_at_end: 0.0,
        put_failed: 0.0,
        put_unanswered: 0.0,
        put_conflict: 0.0,
        put_slow: 0.0,
        read_failed: 0.0,
        footer_unreadable: 0.0,
        message_lost: 0.0,
        message_duplicated: 0.0,
        message_late: 0.0,
    };

    /// Arranges what strikes a coordinator.
    pub fn arrange(&self, coordinator: usize, stream: &mut SmallRng, heap: &mut Heap) {
        let mut strike = |stream: &mut SmallRng, mishap| {
            let at = EpochMs(stream.random_range(0..self.quiet_from.0));
            heap.arrange(at, Happening::Mishap { coordinator, mishap });
        };
        if chance(stream, self.skew) {
            for _ in 0..stream.random_range(1..=3) {
                let offset_ms = stream.random_range(-SKEW_MS_MAX..=SKEW_MS_MAX);
                strike(stream, Mishap::Jump { offset_ms });
            }
        }
        if chance(stream, self.crash) {
            for _ in 0..stream.random_range(1..=3) {
                let down_ms = draw_down_ms(stream);
                strike(stream, Mishap::Crash { down_ms });
            }
        }
        if chance(stream, self.pause) {
            for _ in 0..stream.random_range(1..=2) {
                let ms = skewed(stream, PAUSE_MS_MAX);
                strike(stream, Mishap::Pause { ms });
            }
        }
    }

    /// When a query must have ended: every coordinator is up again, and the lease of a dead owner is over.
    pub fn ends_by(&self, deadline: EpochMs, lease_ms: u64) -> EpochMs {
        let last = self.quiet_from + Duration::from_millis(DOWN_MS_MAX + PAUSE_MS_MAX);
        // A lease may just have been renewed, the message put off, and its coordinator's clock wrong.
        deadline.max(last) + Duration::from_millis(3 * lease_ms + 4 * SKEW_MS_MAX as u64)
    }
}

pub(crate) fn draw_down_ms(stream: &mut SmallRng) -> u64 {
    100 + skewed(stream, DOWN_MS_MAX - 100)
}
