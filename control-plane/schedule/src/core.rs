//! What all queries share: the time, the slots, the timers, chance, and the commands on their way out.

use crate::admission::Admission;
use crate::random::Random;
use crate::timers::Timers;
use crate::{Command, Counters, Settings};
use mayfly_protocol::EpochMs;
use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Core {
    pub settings: Settings,
    /// Of the latest event or timeout.
    pub now: EpochMs,
    pub admission: Admission,
    pub timers: Timers,
    pub jitter: Random,
    pub commands: VecDeque<Command>,
    pub counters: Counters,
    /// When any executor last showed that it lives, whatever the query.
    pub alive_at: Option<EpochMs>,
}

impl Core {
    pub fn new(settings: Settings, seed: u64) -> Core {
        Core {
            admission: Admission::new(settings.concurrency_max, settings.short_turns_max),
            settings,
            now: EpochMs(0),
            timers: Timers::default(),
            jitter: Random::new(seed),
            commands: VecDeque::new(),
            counters: Counters::default(),
            alive_at: None,
        }
    }
}
