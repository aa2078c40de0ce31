//! What an operator may choose. Parts (clients, stores) are in [`crate::World`].

use mayfly_protocol::TenantId;
use std::time::Duration;

/// Settings of one coordinator.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// Names this coordinator in journals, for people.
    pub coordinator: String,
    pub tenant: TenantId,
    /// Control bucket: shuffle, results, journal.
    pub bucket: String,
    /// Slots: invocations in flight at once, over all queries, [`in_flight_max`] with those in short turns.
    pub concurrency_max: u32,
    /// How long a coordinator may be silent before another takes its queries over; also the delay of the lease message.
    pub lease: Duration,
    /// Name of the executor functions without their size: `{prefix}-{MB}`.
    pub function_prefix: String,
    /// Seeds the scheduler's backoff jitter.
    pub seed: u64,
}

/// Invocations in flight at once where so many slots are shared: what is quick has a few beside them when all are taken.
pub const fn in_flight_max(concurrency_max: u32) -> u32 {
    concurrency_max + mayfly_schedule::Settings::short_turns(concurrency_max)
}

impl DriverSettings {
    /// Default of [`DriverSettings::lease`]. Shorter finds a dead coordinator sooner and writes more beats.
    pub const LEASE_DEFAULT: Duration = Duration::from_secs(60);
    /// Default of [`DriverSettings::function_prefix`].
    pub const FUNCTION_PREFIX_DEFAULT: &str = "mayfly-executor";
}
