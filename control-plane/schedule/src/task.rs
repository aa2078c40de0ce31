//! A task: its phase, its attempts in flight, its winner, and what went wrong so far.

use crate::attempt::Attempt;
use mayfly_protocol::{
    Digest, EpochMs, FunctionSize, Nonce, Output, OutputLocation, PartitionEntry, PartitionRange, TaskReport,
};

/// A task by positions in its query's graph. Orders as the graph does, so earlier stages launch first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskKey {
    pub stage: usize,
    pub task: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Some input is not complete. No attempt in flight is current.
    Planned,
    /// Wants a slot.
    Queued,
    /// Wants a slot once a backoff has passed.
    Waiting,
    /// One attempt in flight is current, or one and its copy.
    Running,
    /// Has a winner.
    Done,
    /// Others have published all the rows that are wanted.
    Skipped,
}

/// What went wrong, by class. Counted over the task's whole life: a lost input does not renew its budgets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries {
    pub transient: u32,
    pub throttled: u32,
    pub unreachable: u32,
    pub environments_lost: u32,
    pub crashes: u32,
    pub timed_out: u32,
    pub short_of_memory: u32,
    /// Times its own output was found lost.
    pub output_lost: u32,
}

/// The accepted output, with the offsets that consumers read at.
#[derive(Clone, Debug)]
pub(crate) struct Winner {
    pub nonce: Nonce,
    pub number: u32,
    pub epoch: u32,
    pub output: Output,
    /// What it was computed from.
    pub pin: Digest,
    /// Version of its stage when it won.
    pub version: u64,
    /// Whether the journal holds it.
    pub is_journaled: bool,
    /// `offsets[p]`: bytes before partition `p`; one more entry than partitions.
    offsets: Vec<u64>,
}

impl Winner {
    pub fn new(report: TaskReport, version: u64) -> Winner {
        let TaskReport { attempt, output, .. } = report;
        let mut offsets = Vec::with_capacity(output.partitions.len() + 1);
        let mut offset = 0;
        offsets.push(offset);
        for partition in &output.partitions {
            offset += partition.len_bytes;
            offsets.push(offset);
        }
        Winner {
            nonce: report.nonce,
            number: attempt.number,
            epoch: attempt.epoch,
            output,
            pin: report.pin_digest,
            version,
            is_journaled: false,
            offsets,
        }
    }

    /// First byte of the range and first byte after it, relative to the first partition.
    pub fn bytes(&self, range: PartitionRange) -> std::ops::Range<u64> {
        self.offsets[range.start as usize]..self.offsets[range.end as usize]
    }

    pub fn key(&self) -> Option<&str> {
        match &self.output.location {
            OutputLocation::Object { key, .. } => Some(key),
            OutputLocation::Inline { .. } => None,
        }
    }
}

/// Whether the task has a copy, over its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speculated {
    No,
    /// It stands in line for a slot that nobody else wants.
    InLine,
    /// It was launched, as the attempt of this number.
    As(u32),
}

#[derive(Debug)]
pub(crate) struct Task {
    pub phase: Phase,
    pub winner: Option<Winner>,
    pub flights: Vec<Attempt>,
    pub speculated: Speculated,
    /// Number of the next attempt.
    pub number: u32,
    /// Size of the next attempt.
    pub size: FunctionSize,
    pub tries: Tries,
    /// When `Waiting` ends.
    pub retry_at: Option<EpochMs>,
    /// Executions whose objects were lost or given up: their reports, delivered again, must not win.
    pub gone: Vec<Nonce>,
    /// How long the winner took.
    pub elapsed_ms: u32,
    /// Content of the winner that was lost, until the next one is compared with it.
    pub previous: Option<Vec<PartitionEntry>>,
}

impl Task {
    pub fn new(size: FunctionSize) -> Task {
        Task {
            phase: Phase::Planned,
            winner: None,
            flights: Vec::new(),
            speculated: Speculated::No,
            number: 0,
            size,
            tries: Tries::default(),
            retry_at: None,
            gone: Vec::new(),
            elapsed_ms: 0,
            previous: None,
        }
    }
}
