//! The REPORT line that Lambda writes at the end of an invocation's log: the platform's own word on time and memory.

use mayfly_protocol::Meter;

/// `REPORT RequestId: … Duration: 12.34 ms Billed Duration: 29 ms Memory Size: 1769 MB Max Memory Used: 64 MB Init Duration: 16.5 ms`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportLine {
    pub billed_ms: u64,
    pub memory_mb: u64,
    pub memory_used_mb: u64,
    /// An `Init Duration` stands there: the environment was new.
    pub cold: bool,
}

impl ReportLine {
    /// The last REPORT line of a log tail.
    pub fn find(tail: &str) -> Option<ReportLine> {
        let line = tail.lines().rev().find(|line| line.starts_with("REPORT "))?;
        Some(ReportLine {
            billed_ms: number_after(line, "Billed Duration: ")?,
            memory_mb: number_after(line, "Memory Size: ")?,
            memory_used_mb: number_after(line, "Max Memory Used: ").unwrap_or(0),
            cold: line.contains("Init Duration: "),
        })
    }

    pub fn meter(self) -> Meter {
        Meter {
            invocations: 1,
            cold_starts: u64::from(self.cold),
            billed_ms: self.billed_ms,
            billed_mb_ms: self.billed_ms.saturating_mul(self.memory_mb),
            ..Meter::default()
        }
    }

    /// At least nine tenths of the function's memory were used: what killed it was memory.
    pub fn is_memory_exhausted(self) -> bool {
        self.memory_used_mb * 10 >= self.memory_mb * 9
    }
}

fn number_after(line: &str, label: &str) -> Option<u64> {
    let rest = &line[line.find(label)? + label.len()..];
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}
