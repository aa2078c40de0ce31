//! What happened, as lines. Always hashed, so that two runs of one seed can be compared; kept only when somebody wants to read it.

use mayfly_protocol::EpochMs;
use std::fmt::{self, Write};

#[derive(Debug, Default)]
pub(crate) struct Trace {
    hash: u64,
    keep: bool,
    line: String,
    text: String,
}

impl Trace {
    pub fn new(keep: bool) -> Trace {
        Trace {
            hash: 0xcbf2_9ce4_8422_2325,
            keep,
            ..Trace::default()
        }
    }

    pub fn note(&mut self, now: EpochMs, what: fmt::Arguments<'_>) {
        self.line.clear();
        writeln!(self.line, "t={}.{:03} {what}", now.0 / 1_000, now.0 % 1_000).expect("strings take everything");
        // FNV-1a: one multiplication a byte, and no dependency.
        for byte in self.line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if self.keep {
            self.text.push_str(&self.line);
        }
    }

    pub fn finish(self) -> (u64, String) {
        (self.hash, self.text)
    }
}
