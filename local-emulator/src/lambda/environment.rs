//! One execution environment: a child process, the Runtime API's view of it, and the rules of what may follow what.
//!
//! ```text
//!             /next            invoke            response, then /next
//! Starting ──────────▶ Ready ──────────▶ Busy ──────────────────────▶ Ready …
//!     └──── init error, exit, kill ────────┴──────────────────────────▶ Gone
//! ```
//!
//! Frozen (SIGSTOP) only while Ready: never before the runtime is back on `/next`. Gone is final: what crashed, ran out of memory or
//! time is never used again. Does not start processes and does not choose who serves what: see launcher and pool.

mod end;
mod mishap;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};

pub(crate) use mishap::Trap;

use super::function::Function;
use super::outcome::{Answer, Exit, Outcome};
use super::output::Output;
use super::signal;
use super::watchdog::{Watchdog, Watched};

pub(crate) struct Environment {
    pub id: u64,
    pub function: Arc<Function>,
    pub output: Output,
    watchdog: Arc<Watchdog>,
    state: Mutex<State>,
    exit: watch::Sender<Option<Exit>>,
}

struct State {
    phase: Phase,
    process: Option<Arc<Watched>>,
    pid: Option<u32>,
    frozen: bool,
    /// When it last became ready.
    ready_at: Instant,
    /// A fault that waits for its moment.
    trap: Option<Trap>,
}

enum Phase {
    Starting {
        ready: oneshot::Sender<Result<(), Outcome>>,
    },
    Ready {
        next: oneshot::Sender<Event>,
    },
    Busy(Busy),
    Gone,
}

struct Busy {
    event: Event,
    /// The connection that waited on `/next` was lost just when the event went out: the next `/next` gets it.
    undelivered: bool,
    answer: Option<Answer>,
    done: oneshot::Sender<Outcome>,
}

/// One invocation as the runtime gets it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub request_id: String,
    pub payload: Bytes,
    /// Since the epoch.
    pub deadline_ms: u64,
    pub trace_id: String,
}

/// Why the Runtime API refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misuse {
    /// 400 `InvalidRequestID`.
    WrongId,
    /// 403 `InvalidStateTransition`.
    WrongState,
}

/// What an onlooker sees.
#[derive(Clone, Debug)]
pub(crate) struct Glance {
    pub pid: Option<u32>,
    pub state: &'static str,
    pub request_id: Option<String>,
}

impl Environment {
    /// A new environment, and what tells when its runtime asks for its first event or fails to.
    pub fn new(
        id: u64,
        function: Arc<Function>,
        output: Output,
        watchdog: Arc<Watchdog>,
    ) -> (Arc<Environment>, oneshot::Receiver<Result<(), Outcome>>) {
        let (ready, first) = oneshot::channel();
        let phase = Phase::Starting { ready };
        let state = State {
            phase,
            process: None,
            pid: None,
            frozen: false,
            ready_at: Instant::now(),
            trap: None,
        };
        let exit = watch::Sender::new(None);
        (
            Arc::new(Environment {
                id,
                function,
                output,
                watchdog,
                state: Mutex::new(state),
                exit,
            }),
            first,
        )
    }

    /// Tells of the child once it runs.
    pub fn started(&self, pid: u32) {
        let limit_bytes = u64::from(self.function.settings.memory_mb) << 20;
        let mut state = self.lock();
        state.pid = Some(pid);
        state.process = Some(self.watchdog.watch(pid, limit_bytes));
    }

    /// Hands the runtime an event and waits for the end of the invocation, which is when the runtime asks for the next one.
    pub async fn invoke(&self, event: Event) -> Outcome {
        let timeout = self.function.settings.timeout;
        let Some(mut done) = self.deliver(event) else {
            return self.exited_outcome().await;
        };
        match tokio::time::timeout(timeout, &mut done).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => self.exited_outcome().await,
            Err(_) => {
                let answer = self.abandon();
                self.kill().await;
                let answered = done.try_recv().ok().or(answer.map(Outcome::Answered));
                answered.unwrap_or(Outcome::TimedOut { after: timeout })
            }
        }
    }

    fn deliver(&self, event: Event) -> Option<oneshot::Receiver<Outcome>> {
        let mut state = self.lock();
        let Phase::Ready { next } = std::mem::replace(&mut state.phase, Phase::Gone) else {
            return None;
        };
        state.thaw(&self.watchdog);
        match (state.trap, state.pid) {
            (Some(Trap::HangAtEvent), Some(pid)) => signal::freeze(pid),
            (Some(Trap::KillAtEvent), Some(pid)) => signal::kill(pid),
            _ => {}
        }
        let (done, ending) = oneshot::channel();
        let undelivered = next.send(event.clone()).is_err();
        state.phase = Phase::Busy(Busy {
            event,
            undelivered,
            answer: None,
            done,
        });
        Some(ending)
    }

    /// `GET /next`: the end of init or of an invocation. The receiver yields the next event, however long that takes.
    pub fn next(&self) -> Result<oneshot::Receiver<Event>, Misuse> {
        let (next, event) = oneshot::channel();
        let mut state = self.lock();
        match std::mem::replace(&mut state.phase, Phase::Gone) {
            Phase::Starting { ready } => {
                state.phase = Phase::Ready { next };
                let _ = ready.send(Ok(()));
            }
            // A runtime that lost its connection asks again.
            Phase::Ready { next: earlier } if earlier.is_closed() => state.phase = Phase::Ready { next },
            Phase::Busy(busy) if busy.undelivered => {
                let undelivered = next.send(busy.event.clone()).is_err();
                state.phase = Phase::Busy(Busy { undelivered, ..busy });
            }
            Phase::Busy(Busy {
                answer: Some(answer),
                done,
                ..
            }) => {
                state.phase = Phase::Ready { next };
                state.ready_at = Instant::now();
                state.freeze();
                let _ = done.send(Outcome::Answered(answer));
            }
            other => {
                state.phase = other;
                return Err(Misuse::WrongState);
            }
        }
        Ok(event)
    }

    /// `POST …/response` and `POST …/error`.
    pub fn answer(&self, request_id: &str, answer: Answer) -> Result<(), Misuse> {
        self.check_answer(request_id)?;
        let mut state = self.lock();
        let trap = state.trap.take();
        if trap == Some(Trap::KillBeforeAnswer) {
            state.pid.into_iter().for_each(signal::kill);
            return Err(Misuse::WrongState);
        }
        match &mut state.phase {
            Phase::Busy(busy) => busy.answer = Some(answer),
            _ => return Err(Misuse::WrongState),
        }
        if trap == Some(Trap::KillAfterAnswer) {
            state.pid.into_iter().for_each(signal::kill);
        }
        Ok(())
    }

    /// Whether an answer would be taken, asked before its body is read.
    pub fn check_answer(&self, request_id: &str) -> Result<(), Misuse> {
        match &self.lock().phase {
            Phase::Busy(busy) if busy.event.request_id != request_id => Err(Misuse::WrongId),
            Phase::Busy(Busy {
                answer: None,
                undelivered: false,
                ..
            }) => Ok(()),
            Phase::Busy(_) => Err(Misuse::WrongState),
            _ => Err(Misuse::WrongId),
        }
    }

    /// `POST /init/error`.
    pub fn init_error(&self, body: Bytes) -> Result<(), Misuse> {
        let mut state = self.lock();
        match std::mem::replace(&mut state.phase, Phase::Gone) {
            Phase::Starting { ready } => {
                let _ = ready.send(Err(Outcome::InitError(body)));
                Ok(())
            }
            other => {
                state.phase = other;
                Err(Misuse::WrongState)
            }
        }
    }

    /// Most resident memory over the environment's life, as AWS reports it.
    pub fn memory_peak_bytes(&self) -> u64 {
        let process = self.lock().process.clone();
        process.map_or(0, |process| process.peak_bytes())
    }

    /// Whether it can serve; when not, it is about to be forgotten.
    pub fn is_ready(&self) -> bool {
        matches!(self.lock().phase, Phase::Ready { .. })
    }

    pub fn ready_at(&self) -> Instant {
        self.lock().ready_at
    }

    pub fn glance(&self) -> Glance {
        let state = self.lock();
        let (name, request_id) = match &state.phase {
            Phase::Starting { .. } => ("starting", None),
            Phase::Ready { .. } if state.frozen => ("frozen", None),
            Phase::Ready { .. } => ("idle", None),
            Phase::Busy(busy) => ("busy", Some(busy.event.request_id.clone())),
            Phase::Gone => ("gone", None),
        };
        Glance {
            pid: state.pid,
            state: name,
            request_id,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of an environment's lock panics")
    }
}

impl State {
    fn freeze(&mut self) {
        if let Some(pid) = self.pid {
            self.process.iter().for_each(|process| process.pause());
            signal::freeze(pid);
            self.frozen = true;
        }
    }

    fn thaw(&mut self, watchdog: &Watchdog) {
        if self.frozen
            && let Some(pid) = self.pid
        {
            signal::thaw(pid);
            self.process.iter().for_each(|process| watchdog.resume(process));
            self.frozen = false;
        }
    }
}
