//! What faults do to one environment. When they do is decided in strike.rs.

use super::Environment;
use crate::lambda::signal;

/// What happens to the environment's processes at the next moment of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trap {
    /// Stopped as the event is handed over.
    HangAtEvent,
    KillAtEvent,
    KillBeforeAnswer,
    KillAfterAnswer,
}

impl Environment {
    /// Sets a trap for the next event.
    pub fn arm(&self, trap: Trap) {
        self.lock().trap = Some(trap);
    }

    /// Kills its processes and waits for nothing.
    pub fn strike_down(&self) {
        self.lock().pid.into_iter().for_each(signal::kill);
    }

    /// Ends it as if its memory had run out.
    pub fn exhaust(&self) {
        self.lock().process.iter().for_each(|process| process.exhaust());
    }
}
