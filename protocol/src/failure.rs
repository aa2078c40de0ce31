//! How an attempt failed, named by what to do next; and how a query failed, named for its user.

use crate::{ErrorCode, TaskId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A place in the SQL text, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLocation {
    pub line: u32,
    pub column: u32,
}

/// An error as the user sees it: a stable code, a message, a place where there is one, and what to do about it where we know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct QueryError {
    pub code: ErrorCode,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<SourceLocation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl QueryError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> QueryError {
        QueryError {
            code,
            message: message.into(),
            location: None,
            hint: None,
        }
    }

    pub fn at(mut self, location: Option<SourceLocation>) -> QueryError {
        self.location = location.or(self.location);
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> QueryError {
        self.hint = Some(hint.into());
        self
    }
}

/// `line 1:8: Column 'x' cannot be resolved; did you mean 'y'?`, as Trino spells places.
impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.location {
            write!(f, "line {}:{}: ", place.line, place.column)?;
        }
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

/// Why an attempt did not end in a report. Each variant is one rule of the scheduler; nothing parses messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "class")]
pub enum Failure {
    /// The query itself is wrong: fail it at once.
    User { error: QueryError },
    /// Try again after a backoff; counted against the task's and the query's budget.
    Transient { message: String },
    /// The platform refused for now: try again later with less at once; not counted.
    Throttled { retry_after_ms: Option<u64> },
    /// The platform was not reached and nothing began: try again after pauses that grow; neither counted nor billed.
    Unreachable { message: String },
    /// The environment died under the attempt: try again at once in another; not counted, but bounded.
    EnvironmentLost { message: String },
    /// The pool or the function's memory was exhausted: try again in a larger function, with more time.
    NeedsMemory { message: String },
    /// The attempt ran out of time: once more with more of it, in a larger function if there is one, then fail.
    TimedOut { message: String },
    /// An input was missing or corrupt: its producer runs again; not the reader's fault.
    InputLost {
        producer: TaskId,
        key: String,
        message: String,
    },
    /// The executor's code broke (panic, bad spec): a few tries in other environments, then fail naming the task.
    Broken { message: String },
}

impl Failure {
    /// One word for logs, metrics and transcripts.
    pub const fn class(&self) -> &'static str {
        match self {
            Failure::User { .. } => "user",
            Failure::Transient { .. } => "transient",
            Failure::Throttled { .. } => "throttled",
            Failure::Unreachable { .. } => "unreachable",
            Failure::EnvironmentLost { .. } => "environment_lost",
            Failure::NeedsMemory { .. } => "needs_memory",
            Failure::TimedOut { .. } => "timed_out",
            Failure::InputLost { .. } => "input_lost",
            Failure::Broken { .. } => "broken",
        }
    }

    pub fn user(code: ErrorCode, message: impl Into<String>) -> Failure {
        Failure::User {
            error: QueryError::new(code, message),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::User { error } => write!(f, "{error}"),
            Failure::Throttled { .. } => f.write_str("throttled"),
            Failure::InputLost { producer, key, message } => write!(f, "input of {producer} at {key} lost: {message}"),
            Failure::Transient { message }
            | Failure::Unreachable { message }
            | Failure::EnvironmentLost { message }
            | Failure::NeedsMemory { message }
            | Failure::TimedOut { message }
            | Failure::Broken { message } => write!(f, "{}: {message}", self.class()),
        }
    }
}
