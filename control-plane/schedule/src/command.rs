//! What the scheduler decides. The driver carries commands out in order.

use crate::{Progress, Usage};
use mayfly_protocol::journal::Outcome;
use mayfly_protocol::{
    Alternative, AttemptId, FunctionSize, Meter, Output, PlanBytes, QueryId, StageId, TaskSpec, TaskTemplate,
};

/// A decision.
#[derive(Clone, Debug)]
pub enum Command {
    /// Write a plan that is too large to ride in specs. Comes before the first Invoke that names it.
    PutPlan {
        query: QueryId,
        key: String,
        plan: PlanBytes,
    },
    /// The stage has other tasks than its graph said. Comes before the first Invoke of any of them, at most once per stage.
    Regrouped {
        query: QueryId,
        stage: StageId,
        tasks: Vec<TaskTemplate>,
    },
    /// This alternative of the graph is taken. Comes before the first Invoke of what it changes.
    Switched {
        query: QueryId,
        alternative: Box<Alternative>,
    },
    /// Enough was done for the journal to be told: append what [`crate::Scheduler::take_entries`] gives, one append of a query at a
    /// time, and say [`crate::Event::Journaled`] or [`crate::Event::Fenced`]. Holds up nothing.
    Journal { query: QueryId },
    /// Run an attempt. The driver answers with `Reported` or `Failed`, also if it never hears of it again.
    Invoke { spec: Box<TaskSpec>, size: FunctionSize },
    /// The query has ended; exactly once per query, and nothing is launched for it after. Append what
    /// [`crate::Scheduler::take_entries`] gives and a final entry in one record, and say [`crate::Event::Ended`] or
    /// [`crate::Event::Fenced`]; deliver nothing before that is durable.
    Finish {
        query: QueryId,
        outcome: Outcome,
        /// Every attempt metered so far. What is still in flight follows as [`Command::Late`].
        usage: Usage,
        /// As it stood at the end: `Scheduler::progress` knows the query no longer.
        progress: Box<Progress>,
    },
    /// An attempt that ended after its query: its bill, and its object if it published one that nobody will read.
    Late {
        query: QueryId,
        attempt: AttemptId,
        meter: Meter,
        output: Option<Output>,
    },
    /// A losing attempt's object: delete it. Comes after the final record is durable: until then another coordinator, which knows
    /// less, may take it for a winner.
    Discard {
        query: QueryId,
        attempt: AttemptId,
        output: Output,
    },
}
