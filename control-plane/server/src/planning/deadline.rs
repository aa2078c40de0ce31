//! How long a statement may be planned: planning's own bound, or what is left of the query's time.

use mayfly_protocol::journal::Request;
use mayfly_protocol::{EpochMs, ErrorCode, QueryError, limits};
use std::time::Duration;

/// Planning takes milliseconds; of a table with thousands of files that nobody has read yet, seconds.
const PLANNING_DURATION_MAX: Duration = Duration::from_secs(30);

pub(crate) struct Deadline {
    pub left: Duration,
    /// All of the query's time, where that is the shorter.
    run_duration_max: Option<Duration>,
}

impl Deadline {
    pub(crate) fn of(request: &Request, now: EpochMs) -> Deadline {
        // The request's own time, without what lies behind it for executors to stop in.
        let margin = Duration::from_millis(limits::DEADLINE_MARGIN_MS);
        let left = request.deadline.since(now).saturating_sub(margin);
        match left < PLANNING_DURATION_MAX {
            true => Deadline {
                left,
                run_duration_max: Some(request.deadline.since(request.accepted_at).saturating_sub(margin)),
            },
            false => Deadline {
                left: PLANNING_DURATION_MAX,
                run_duration_max: None,
            },
        }
    }

    /// What the client hears when it has passed.
    pub(crate) fn passed(&self) -> QueryError {
        let (message, hint) = match self.run_duration_max {
            Some(most) => (
                format!("the query took longer than the {most:?} of max_run_time, and was still being planned"),
                "raise the session property max_run_time",
            ),
            None => (
                format!("planning the query took longer than {PLANNING_DURATION_MAX:?}"),
                "nested subqueries, CTEs that name the one before more than once, and functions that repeat their arguments \
                 (coalesce, nullif) multiply what is planned: take them apart",
            ),
        };
        QueryError::new(ErrorCode::ExceededTimeLimit, message).hint(hint)
    }
}

#[cfg(test)]
mod tests;
