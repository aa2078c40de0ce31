//! Bounds on what crosses from one process to another, tied to each other and to the platform's by const assertions. Some are
//! kept by one side alone, and stand here because the texts and tests of others name them.

/// A synchronous Lambda payload, request or response.
pub const INVOKE_BYTES_MAX: usize = 6 * 1024 * 1024;

/// A serialized stage plan. Whole TPC-H plans take about 54 KB at most, TPC-DS plans 764 KB.
pub const PLAN_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A plan up to this size rides in the TaskSpec; a larger one is an object that the spec names by digest.
pub const PLAN_INLINE_BYTES_MAX: usize = 512 * 1024;

/// Nesting of a serialized plan that a decoder accepts, of operators and the expressions in them: two hundred CASEs or common table
/// expressions inside one another take some five levels each.
pub const PLAN_DEPTH_MAX: usize = 2_000;

/// Output bytes of one task that may ride in its report instead of an object.
pub const INLINE_BYTES_MAX: u64 = 64 * 1024;

/// Output bytes of all tasks of one stage that may ride in reports: each consumer's spec repeats what it reads.
pub const INLINE_STAGE_BYTES_MAX: u64 = 1024 * 1024;

/// Partitions of one exchange.
pub const PARTITIONS_MAX: u32 = 4_096;

/// Tasks of one stage.
pub const TASKS_MAX: u32 = 10_000;

/// Stages of one query.
pub const STAGES_MAX: usize = 256;

/// Objects in which a broadcast may end: every consumer reads each of them.
pub const BROADCAST_OBJECTS_MAX: u32 = 4;

/// Lambda's longest run.
pub const TASK_DURATION_MS_MAX: u64 = 900_000;

/// The executor stops itself this long before its deadline and publishes nothing after.
pub const DEADLINE_MARGIN_MS: u64 = 1_000;

/// Between two looks of a running attempt for the word to stop: its compute ends this long, and a moment, after a cancel.
pub const CANCEL_LOOK_MS: u64 = 2_000;

/// Attempts at one task that failed for a transient reason.
pub const TRANSIENT_ATTEMPTS_MAX: u32 = 4;

/// Environments lost under one task before it counts as poison.
pub const ENVIRONMENTS_LOST_MAX: u32 = 8;

/// Crashes or panics of one task in distinct environments before the query fails.
pub const CRASHES_MAX: u32 = 3;

/// Times one producer's object may be found lost or corrupt.
pub const INPUT_LOST_MAX: u32 = 3;

/// Bytes of one query's SQL text.
pub const SQL_BYTES_MAX: usize = 1024 * 1024;

/// `min(64 KiB, 1 MiB ÷ producers)`: how much a task of a stage with that many producers may inline.
pub const fn inline_bytes_max(producers: u32) -> u64 {
    let producers = if producers == 0 { 1 } else { producers as u64 };
    let share = INLINE_STAGE_BYTES_MAX / producers;
    if share < INLINE_BYTES_MAX {
        share
    } else {
        INLINE_BYTES_MAX
    }
}

// Base64 takes 4 bytes for 3. A spec with an inline plan and two fully inlined inputs must still fit one Invoke.
const _: () = assert!((PLAN_INLINE_BYTES_MAX + 2 * INLINE_STAGE_BYTES_MAX as usize) * 4 / 3 < INVOKE_BYTES_MAX);
const _: () = assert!(PLAN_INLINE_BYTES_MAX <= PLAN_BYTES_MAX);
const _: () = assert!(INLINE_BYTES_MAX <= INLINE_STAGE_BYTES_MAX);
const _: () = assert!(DEADLINE_MARGIN_MS < TASK_DURATION_MS_MAX);
