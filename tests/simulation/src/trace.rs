//! What happened, as lines: hashed where two runs of one seed are compared, kept where somebody wants to read them.

use mayfly_protocol::EpochMs;
use std::fmt::{self, Write};

/// What to make of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracing {
    #[default]
    Off,
    Hash,
    HashAndKeep,
}

#[derive(Debug, Default)]
pub(crate) struct Trace {
    tracing: Tracing,
    hash: u64,
    line: String,
    text: String,
}

impl Trace {
    pub fn new(tracing: Tracing) -> Trace {
        Trace {
            tracing,
            hash: 0xcbf2_9ce4_8422_2325,
            ..Trace::default()
        }
    }

    pub fn note(&mut self, now: EpochMs, what: fmt::Arguments<'_>) {
        if self.tracing == Tracing::Off {
            return;
        }
        self.line.clear();
        writeln!(self.line, "t={}.{:03} {what}", now.0 / 1_000, now.0 % 1_000).expect("strings take everything");
        // FNV-1a: one multiplication a byte, and no dependency.
        for byte in self.line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if self.tracing == Tracing::HashAndKeep {
            self.text.push_str(&self.line);
        }
    }

    pub fn finish(self) -> (u64, String) {
        (self.hash, self.text)
    }
}
