//! How an environment ends: its process is killed, or has gone by itself, and whoever waits for it is told.

use std::process::ExitStatus;
use std::time::Duration;

use super::{Busy, Environment, Phase};
use crate::lambda::outcome::{Answer, Exit, Outcome};
use crate::lambda::signal;

/// How long a killed process may take to be gone; SIGKILL takes milliseconds unless the machine is starved.
const EXIT_WAIT_MAX: Duration = Duration::from_secs(2);

impl Environment {
    /// Tells that the process is gone and reaped. What is left of its group goes too.
    pub fn exited(&self, status: ExitStatus) {
        let phase = {
            let mut state = self.lock();
            let was_killed = state.process.as_ref().is_some_and(|process| process.was_killed());
            let exit = Exit::new(status, was_killed);
            state.process.iter().for_each(|process| process.pause());
            state.pid.take().into_iter().for_each(signal::kill);
            self.exit.send_replace(Some(exit));
            (std::mem::replace(&mut state.phase, Phase::Gone), exit)
        };
        match phase {
            (Phase::Starting { ready }, exit) => drop(ready.send(Err(Outcome::Exited(exit)))),
            (
                Phase::Busy(Busy {
                    answer: Some(answer),
                    done,
                    ..
                }),
                _,
            ) => drop(done.send(Outcome::Answered(answer))),
            (Phase::Busy(Busy { done, .. }), exit) => drop(done.send(Outcome::Exited(exit))),
            (Phase::Ready { .. } | Phase::Gone, _) => {}
        }
    }

    /// Kills the whole process group and waits until the process is gone.
    pub async fn kill(&self) {
        let pid = {
            let mut state = self.lock();
            if !matches!(state.phase, Phase::Busy(_) | Phase::Starting { .. }) {
                state.phase = Phase::Gone;
            }
            state.pid
        };
        if let Some(pid) = pid {
            signal::kill(pid);
            self.wait_exit().await;
        }
    }

    /// Takes the invocation away from the runtime. Gives its answer, if it answered but never came back.
    pub(super) fn abandon(&self) -> Option<Answer> {
        let mut state = self.lock();
        match std::mem::replace(&mut state.phase, Phase::Gone) {
            Phase::Busy(busy) => busy.answer,
            _ => None,
        }
    }

    pub(super) async fn exited_outcome(&self) -> Outcome {
        self.kill().await;
        Outcome::Exited(self.exit.borrow().unwrap_or(Exit::Signal(nix::libc::SIGKILL)))
    }

    async fn wait_exit(&self) {
        let mut exit = self.exit.subscribe();
        if tokio::time::timeout(EXIT_WAIT_MAX, exit.wait_for(Option::is_some))
            .await
            .is_err()
        {
            tracing::error!(
                function = self.function.name(),
                environment = self.id,
                "a killed process does not end"
            );
        }
    }
}
