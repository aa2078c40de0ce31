//! Rules broken on purpose, one at a time: a simulation that does not notice is not worth its time. Compiled only with the feature
//! `mutants`; without it `mutant!` is `false`, and the rule stands as it is written.
//!
//! A mutant is one condition at the place of its rule, and one line here.

#[cfg(not(feature = "mutants"))]
macro_rules! mutant {
    ($name:ident) => {
        false
    };
}

#[cfg(feature = "mutants")]
macro_rules! mutant {
    ($name:ident) => {
        crate::mutant::is(crate::mutant::Mutant::$name)
    };
}

#[cfg(feature = "mutants")]
macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A broken rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant { $($(#[$doc])* $name,)* }

        impl Mutant {
            pub const ALL: &[Mutant] = &[$(Mutant::$name,)*];
        }
    };
}

#[cfg(feature = "mutants")]
std::thread_local! {
    static ACTIVE: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Breaks a rule of every scheduler on this thread, or none.
#[cfg(feature = "mutants")]
pub fn set(mutant: Option<Mutant>) {
    ACTIVE.set(mutant);
}

#[cfg(feature = "mutants")]
pub(crate) fn is(mutant: Mutant) -> bool {
    ACTIVE.get() == Some(mutant)
}

#[cfg(feature = "mutants")]
mutants! {
    // One winner.
    IgnorePins,
    AcceptSecondWinner,
    AcceptStalePins,
    AcceptMalformed,
    AcceptGone,
    RefuseLate,
    KeepLosersObject,
    PinWithoutKeys,
    PinWithoutDigests,
    PinWithoutSlices,
    // Failures, class by class.
    RetryUserErrors,
    UnboundedTransient,
    IgnoreBudget,
    NoBackoff,
    BackoffWithoutCap,
    CountThrottles,
    IgnoreRetryAfter,
    CountUnreachable,
    UnboundedLost,
    GrowOnLost,
    NeverGrowOnMemory,
    GrowSlowly,
    GrowTwiceOnTimeout,
    SameTimeAgain,
    FailAtLargest,
    AgainWithoutGain,
    NeverPoison,
    CountStaleFailures,
    CountFailuresAfterWin,
    ForgetRetryTimer,
    FleetNeverDead,
    FleetDeadDespiteLife,
    FleetDeadDespiteHope,
    // Lost inputs.
    BlameReader,
    LossUncounted,
    ForgetLosses,
    BelieveStaleReaders,
    NoDigestComparison,
    KeepTransitiveConsumers,
    KeepVersion,
    KeepConsumersOpen,
    KeepSkipped,
    KeepPrevious,
    KeepRowsOfLost,
    KeepLostObject,
    AdoptAnything,
    AdoptNothing,
    // The journal: what it is told,
    AppendUnchecked,
    ConsumerBeforeInputs,
    WinsOutOfOrder,
    ForgetJournaledLoss,
    ForgetChanges,
    FinalWithoutWins,
    NeverTell,
    TellLate,
    // how a record gets there,
    OldEpochAppends,
    BareExistsFences,
    ExistsIsWritten,
    UnknownIsWritten,
    OwnRecordFences,
    CancelFences,
    GuestGivesUp,
    RetryNextNumber,
    // and what a new owner makes of it.
    ClaimSameEpoch,
    ResumeSameEpoch,
    ResumeWithoutLastEntry,
    ForgetCancelOnResume,
    UnboundedStarts,
    StartsNeverReset,
    ReplayVoid,
    ReplaySecondWinner,
    FoundWithoutPins,
    LaunchWhenFenced,
    DiscardBeforeDurable,
    DiscardForeign,
    // Stages.
    OpenEarly,
    IgnoreHold,
    EnoughTooEarly,
    RegroupAgain,
    RegroupWithGap,
    SwitchAfterLaunch,
    SwitchLarge,
    WrongOffset,
    ReuseNumber,
    // Copies.
    SecondCopy,
    ManyCopies,
    CopyBeforeMost,
    CopyEarly,
    CopyWhatReadsMore,
    CopyBeforeFirstAttempts,
    CopyUnseen,
    CopyInCrowd,
    CopySmallStageSoon,
    DearCopies,
    ForgetReserve,
    ForgetCopiesMeter,
    CountCopiesFailures,
    ForgetPromotion,
    RefuseCopies,
    // Cancel, deadline, end.
    LaunchAfterCancel,
    IgnoreDeadline,
    TaskOutlivesQuery,
    ForgetExpiry,
    ForgetLateMeter,
    KeepLateGarbage,
    GiveUpAnswer,
    // Bills.
    ForgetBound,
    KeepBound,
    ForgetDuplicatesMeter,
    // Slots.
    OneSlotMore,
    NeverNarrow,
    NarrowEachTime,
    WidenAtOnce,
    NeverWiden,
    ShortTurnUncut,
    ShortTurnAgain,
    CountShortTurns,
}
