//! What the scheduler is told. Facts only: everything that happened in the world reaches it as one of these.

use crate::QueryLimits;
use mayfly_protocol::journal::Entry;
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
    /// A query that another coordinator began shall go on here. The claim to it is durable.
    Resumed {
        query: QueryId,
        /// The claimed one; no attempt of an earlier owner has it.
        epoch: u32,
        graph: StageGraph,
        deadline: EpochMs,
        limits: QueryLimits,
        /// What the journal holds before the claim, in order.
        entries: Vec<Entry>,
        /// The footers of all objects that the query's attempts have published, whoever launched them.
        found: Vec<TaskReport>,
    },
    /// What [`crate::Scheduler::take_entries`] gave for a query that runs is durable, or it gave nothing.
    Journaled { query: QueryId },
    /// The final record is durable.
    Ended { query: QueryId },
    /// The query is another coordinator's: it is dropped here, without an end.
    Fenced { query: QueryId },
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
