//! What the scheduler is told. Facts only: everything that happened in the world reaches it as one of these.

use crate::QueryLimits;
use mayfly_protocol::{AttemptId, EpochMs, Failure, Meter, QueryId, StageGraph, TaskReport};

/// A fact. None of them is an error: queues deliver twice and answers come late, so an event that no longer matters changes
/// nothing and is metered.
#[derive(Clone, Debug)]
pub enum Event {
    /// A query shall run. A second submission of a query that is known changes nothing.
    Submitted {
        query: QueryId,
        /// Incarnation of the coordinator, from 1; part of every attempt's id.
        epoch: u32,
        graph: StageGraph,
        /// By then the query has ended, whatever happens.
        deadline: EpochMs,
        limits: QueryLimits,
    },
    /// An attempt answered with a report. `meter` is the platform's part and the report's own, summed.
    Reported {
        attempt: AttemptId,
        answer: Box<TaskReport>,
        meter: Meter,
    },
    /// An attempt answered with a failure, or the driver saw it fail.
    Failed {
        attempt: AttemptId,
        failure: Failure,
        meter: Meter,
    },
    /// The user wants it no longer. Idempotent.
    Canceled { query: QueryId },
}
