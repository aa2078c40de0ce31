//! How often each branch was taken: for metrics, and for the simulation, which fails when a branch never fires.

use serde::{Deserialize, Serialize};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the scheduler was made.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Counters { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            /// Name and count, in the order of a task's life.
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

counters! {
    launched,
    accepted,
    /// Accepted although its attempt had been given up.
    accepted_late,
    /// The winner's own report once more.
    duplicate_reports,
    /// Another attempt, or another execution of the same one, had won.
    losing_reports,
    /// Pinned to outputs that are no longer the winners.
    stale_reports,
    /// Again, of an object that was lost or given up.
    gone_reports,
    /// Not what the spec asked for; counted as a crash.
    malformed_reports,
    /// Of attempts that were given up, were stale, or whose task is done.
    moot_failures,
    transient,
    throttled,
    environments_lost,
    /// Attempts that never answered.
    expired,
    escalated_memory,
    escalated_time,
    crashed,
    inputs_lost,
    /// Winners dropped since an input came out different when it was made again.
    invalidated,
    /// Attempts still in flight whose pins became current again.
    adopted,
    /// Stages whose tasks were formed anew when their inputs were complete.
    regrouped,
    /// Of those, stages in which tasks share a partition.
    partitions_shared,
    /// Tasks that were not wanted any more.
    skipped,
    alternatives_taken,
    discarded,
    late,
    fleet_dead,
    deadline_passed,
    canceled,
}
