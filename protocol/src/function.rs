//! The sizes in which the executor function is deployed. Escalation after a memory failure climbs this ladder.

use serde::{Deserialize, Serialize};

/// A deployed size of the executor function; the same code at each. AWS grants 1 vCPU per 1,769 MB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionSize {
    /// 1,769 MB: one vCPU.
    #[default]
    One,
    /// 3,538 MB: two vCPUs.
    Two,
    /// 7,076 MB: four vCPUs.
    Four,
    /// 10,240 MB: about six vCPUs, the largest that Lambda offers.
    Six,
}

impl FunctionSize {
    pub const ALL: [FunctionSize; 4] = [
        FunctionSize::One,
        FunctionSize::Two,
        FunctionSize::Four,
        FunctionSize::Six,
    ];

    pub const fn memory_mb(self) -> u32 {
        match self {
            FunctionSize::One => 1_769,
            FunctionSize::Two => 3_538,
            FunctionSize::Four => 7_076,
            FunctionSize::Six => 10_240,
        }
    }

    /// Whole vCPUs, rounded down.
    pub const fn vcpus(self) -> u32 {
        match self {
            FunctionSize::One => 1,
            FunctionSize::Two => 2,
            FunctionSize::Four => 4,
            FunctionSize::Six => 5,
        }
    }

    /// Bytes that a task's operators may hold together: five eighths of the three quarters of memory that code and decoders leave.
    pub const fn operator_bytes(self) -> u64 {
        self.memory_mb() as u64 * 1024 * 1024 / 4 * 3 / 8 * 5
    }

    /// The next larger size, or none at the top.
    pub fn next(self) -> Option<FunctionSize> {
        Self::ALL.into_iter().find(|size| *size > self)
    }

    /// The largest size with at most so many vCPUs; the smallest if none has so few.
    pub fn with_vcpus(vcpus: u32) -> FunctionSize {
        let fitting = Self::ALL.into_iter().rev().find(|size| size.vcpus() <= vcpus);
        fitting.unwrap_or(FunctionSize::One)
    }

    /// `mayfly-executor-1769`: the deployed function's name.
    pub fn function_name(self, prefix: &str) -> String {
        format!("{prefix}-{}", self.memory_mb())
    }
}
