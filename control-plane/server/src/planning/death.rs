//! Why a planner ended in the middle of a statement, and what the statement's client hears.

use mayfly_protocol::{ErrorCode, QueryError};
use std::process::ExitStatus;

/// What Rust's runtime and the allocator say last.
const MEMORY: [&str; 3] = [
    "memory allocation of",
    "failed to spawn thread",
    "Cannot allocate memory",
];
const STACK: &str = "has overflowed its stack";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// It was refused memory.
    Memory,
    Stack,
    /// By somebody else: the kernel, for want of memory on the machine, or an operator.
    Killed,
    Other(String),
}

impl Death {
    pub fn of(status: Option<ExitStatus>, last_words: &str) -> Death {
        use std::os::unix::process::ExitStatusExt as _;
        let killed = status.and_then(|status| status.signal()) == Some(nix::libc::SIGKILL);
        match last_words {
            words if words.contains(STACK) => Death::Stack,
            words if MEMORY.iter().any(|memory| words.contains(memory)) => Death::Memory,
            _ if killed => Death::Killed,
            _ => Death::Other(status.map_or("it is gone".to_owned(), |status| status.to_string())),
        }
    }

    /// `looked_up`: whether the statement's tables were known already. Until then only files can be at fault.
    pub fn error(&self, looked_up: bool, memory_bytes_max: u64) -> QueryError {
        let megabytes = memory_bytes_max / 1_000_000;
        match (self, looked_up) {
            (Death::Memory, true) => QueryError::new(
                ErrorCode::ExceededLocalMemoryLimit,
                format!("planning the query takes more than the {megabytes} MB that one statement may have for it"),
            )
            .hint("make its constants fewer or smaller, or read them from a table; take apart what names one view or CTE many times"),
            (Death::Stack, true) => QueryError::new(
                ErrorCode::TooComplex,
                "the query is too complex: it nests too deeply to be planned",
            )
            .hint("split it, or put its parts into WITH"),
            (Death::Memory, false) => bad_file("asks for more memory than a planner may have"),
            (Death::Stack, false) => bad_file("describes columns that nest too deeply"),
            (Death::Killed, _) => QueryError::new(
                ErrorCode::ExceededLocalMemoryLimit,
                "the process that planned the query was killed, most likely for want of memory on the server's machine",
            )
            .hint("try again; the kernel's log says more"),
            (Death::Other(how), _) => QueryError::new(
                ErrorCode::GenericInternalError,
                format!("the process that planned the query ended: {how}"),
            )
            .hint("the server's log has its last words"),
        }
    }
}

fn bad_file(what: &str) -> QueryError {
    let message = format!("a file of the statement's tables cannot be read: its footer {what}");
    QueryError::new(ErrorCode::BadFile, message).hint("look at the newest files at the tables' locations")
}

#[cfg(test)]
mod tests;
