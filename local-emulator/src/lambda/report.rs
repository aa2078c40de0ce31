//! The platform's lines in a function's log, as AWS prints them, and what an invocation is billed. Text and arithmetic only.

use std::fmt;
use std::time::Duration;

const MIB: u64 = 1 << 20;

#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub request_id: String,
    pub duration: Duration,
    /// Set on a cold start.
    pub init: Option<Duration>,
    pub memory_mb: u32,
    pub memory_used_bytes: u64,
    pub status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Success,
    Timeout,
    /// The environment died; the text is AWS's error type.
    Error(&'static str),
}

impl Report {
    /// Rounded up to whole milliseconds over init and duration together.
    pub fn billed_ms(&self) -> u64 {
        let total = self.duration + self.init.unwrap_or_default();
        u64::try_from(total.as_micros().div_ceil(1000))
            .expect("an invocation ends within 900 s")
            .max(1)
    }

    /// Rounded up; never above the memory size, which is all that AWS shows of an environment killed for its memory.
    fn memory_used_mb(&self) -> u64 {
        self.memory_used_bytes.div_ceil(MIB).min(self.memory_mb.into())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "END RequestId: {}", self.request_id)?;
        write!(
            f,
            "REPORT RequestId: {}\tDuration: {} ms\t",
            self.request_id,
            Ms(self.duration)
        )?;
        write!(
            f,
            "Billed Duration: {} ms\tMemory Size: {} MB\t",
            self.billed_ms(),
            self.memory_mb
        )?;
        write!(f, "Max Memory Used: {} MB\t", self.memory_used_mb())?;
        if let Some(init) = self.init {
            write!(f, "Init Duration: {} ms\t", Ms(init))?;
        }
        match self.status {
            Status::Success => writeln!(f),
            Status::Timeout => writeln!(f, "Status: timeout"),
            Status::Error(kind) => writeln!(f, "Status: error\tError Type: {kind}"),
        }
    }
}

pub(crate) fn start_line(request_id: &str, version: &str) -> String {
    format!("START RequestId: {request_id} Version: {version}\n")
}

/// Milliseconds with two decimals.
struct Ms(Duration);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.0.as_micros() / 10;
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}
