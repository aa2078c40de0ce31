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

        impl std::ops::AddAssign for Counters {
            fn add_assign(&mut self, other: Counters) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    launched,
    /// Of those, beside the slots.
    short_turns,
    /// Of those, out of time, and so queries that have none any more.
    short_turns_over,
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
    unreachable,
    environments_lost,
    /// Attempts that never answered.
    expired,
    escalated_memory,
    escalated_time,
    /// Of those, at the largest size: tried again with nothing but more time.
    more_time_alone,
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
    /// Second attempts launched beside one that straggles.
    copies,
    /// Of those, reports that won.
    copies_won,
    /// Of those, failures, which nobody holds against the task.
    copies_failed,
    /// Of those, left alone when the first attempt failed: it has no other any more.
    copies_promoted,
    /// Not launched, as copies would have cost the query too much.
    copies_too_dear,
    /// In line for a slot when it was no longer wanted.
    copies_moot,
    discarded,
    /// Times that the journal was told of winners before the end.
    journaled,
    /// Winners that were none any more, or could not count in the journal, when it was told.
    journal_dropped,
    /// Queries taken over from another coordinator.
    resumed,
    /// Winners that the journal of a resumed query held.
    replayed,
    /// Winners in it that do not count, as another stands or their inputs are others.
    replayed_void,
    /// Winners in it whose objects are gone.
    replayed_gone,
    /// Losses in it.
    replayed_lost,
    /// Objects of earlier coordinators that the journal did not know, and that won.
    found,
    /// Those that did not.
    found_losing,
    /// Queries that ended after too many starts without progress.
    starts_exhausted,
    /// Queries that another coordinator took over.
    fenced,
    /// Attempts of an epoch that this coordinator had lost, which ended in one that it has.
    own_old_epoch,
    late,
    fleet_dead,
    deadline_passed,
    canceled,
}
