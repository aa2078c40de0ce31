//! What can go wrong at Lambda.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LambdaFault {
    /// The environment's processes are killed with SIGKILL.
    Kill { moment: KillMoment },
    /// Killed as if its memory had exceeded the function's size.
    OutOfMemory { after_ms: u64 },
    /// Stopped with SIGSTOP past the function's timeout.
    Hang,
    /// 429 `TooManyRequestsException`, nothing started.
    Throttle,
    /// The invocation runs to its end; its caller's connection is reset.
    ResponseLost,
    /// The event is delivered a second time, to another environment, after a delay; only the first answer is returned.
    Duplicate { after_ms: u64 },
    /// A cold start takes so much longer before Init.
    ColdStart { ms: u64 },
    /// A cold start takes longer by AWS's measured distribution, see `latency.rs`.
    ColdStartAws,
}

impl LambdaFault {
    /// Whether it strikes an event that an environment has taken.
    pub(super) fn strikes_an_event(&self) -> bool {
        match self {
            LambdaFault::Kill { moment } => *moment != KillMoment::Init,
            LambdaFault::OutOfMemory { .. } | LambdaFault::Hang => true,
            _ => false,
        }
    }

    /// Whether it strikes the start of an environment.
    pub(super) fn strikes_a_start(&self) -> bool {
        match self {
            LambdaFault::Kill { moment } => *moment == KillMoment::Init,
            LambdaFault::ColdStart { .. } | LambdaFault::ColdStartAws => true,
            _ => false,
        }
    }
}

/// When a kill strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KillMoment {
    /// During init, before the runtime asked for its first event.
    Init,
    /// When the event has been handed over.
    EventDelivered,
    /// So long after the event was handed over.
    AfterMs(u64),
    /// When the response has arrived whole, before it is accepted.
    BeforeResponse,
    /// When the response has been accepted; the caller has its answer, the next event finds nobody.
    AfterResponse,
    /// While frozen between two events.
    Frozen,
}
