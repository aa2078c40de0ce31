//! How an invocation ended, and the payload that tells its caller so, in the shapes recorded on AWS.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::report::Status;

/// Bytes of a synchronous request or response.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 6 << 20;
/// The Runtime API takes this much more before it refuses a response.
pub(crate) const RESPONSE_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 100;

/// What a runtime posted for the invocation it held.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Response(Bytes),
    /// Its own words, JSON by contract.
    Error(Bytes),
    /// The response was too large to be taken.
    TooLarge,
}

/// How an invocation ended. Only after an answer may the environment be used again.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Answered(Answer),
    TimedOut {
        after: Duration,
    },
    /// The process ended before it answered.
    Exited(Exit),
    /// The runtime told that it could not initialize.
    InitError(Bytes),
    /// The process could not even be started.
    NotStarted {
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
    /// Killed by the watchdog.
    OutOfMemory,
}

impl Exit {
    pub fn new(status: ExitStatus, out_of_memory: bool) -> Exit {
        match (out_of_memory, status.signal()) {
            (true, _) => Exit::OutOfMemory,
            (false, Some(signal)) => Exit::Signal(signal),
            (false, None) => Exit::Code(status.code().unwrap_or(-1)),
        }
    }

    fn text(self) -> String {
        match self {
            Exit::Code(0) => "Runtime exited without providing a reason".to_owned(),
            Exit::Code(code) => format!("Runtime exited with error: exit status {code}"),
            Exit::OutOfMemory => "Runtime exited with error: signal: killed".to_owned(),
            Exit::Signal(signal) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        }
    }
}

impl Outcome {
    pub fn is_error(&self) -> bool {
        !matches!(self, Outcome::Answered(Answer::Response(_)))
    }

    pub fn status(&self) -> Status {
        match self {
            // A function that reports its own error has run as the platform sees it.
            Outcome::Answered(Answer::Response(_) | Answer::Error(_)) => Status::Success,
            Outcome::Answered(Answer::TooLarge) => Status::Error("Function.ResponseSizeTooLarge"),
            Outcome::TimedOut { .. } => Status::Timeout,
            Outcome::Exited(Exit::OutOfMemory) => Status::Error("Runtime.OutOfMemory"),
            Outcome::Exited(_) => Status::Error("Runtime.ExitError"),
            Outcome::InitError(_) => Status::Error("Runtime.InitError"),
            Outcome::NotStarted { .. } => Status::Error("Runtime.InvalidEntrypoint"),
        }
    }

    /// The body that the caller of Invoke gets.
    pub fn payload(&self, request_id: &str) -> Bytes {
        match self {
            Outcome::Answered(Answer::Response(bytes) | Answer::Error(bytes)) | Outcome::InitError(bytes) => {
                bytes.clone()
            }
            Outcome::Answered(Answer::TooLarge) => {
                let text = format!(
                    "Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
                );
                error("Function.ResponseSizeTooLarge", &text)
            }
            Outcome::TimedOut { .. } => error("Sandbox.Timedout", &self.with_id(request_id)),
            Outcome::Exited(_) => error("Runtime.ExitError", &self.with_id(request_id)),
            Outcome::NotStarted { .. } => error("Runtime.InvalidEntrypoint", &self.with_id(request_id)),
        }
    }

    /// What the platform writes to the log about it.
    pub fn log_line(&self, request_id: &str) -> Option<String> {
        match self {
            Outcome::Answered(_) | Outcome::InitError(_) => None,
            Outcome::TimedOut { .. } => {
                let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
                Some(format!("{now} {request_id} {}\n\n", self.text()))
            }
            Outcome::Exited(_) => Some(format!("{}\nRuntime.ExitError\n", self.with_id(request_id))),
            Outcome::NotStarted { .. } => Some(format!("{}\nRuntime.InvalidEntrypoint\n", self.with_id(request_id))),
        }
    }

    fn with_id(&self, request_id: &str) -> String {
        format!("RequestId: {request_id} Error: {}", self.text())
    }

    fn text(&self) -> String {
        match self {
            Outcome::TimedOut { after } => format!("Task timed out after {:.2} seconds", after.as_secs_f64()),
            Outcome::Exited(exit) => exit.text(),
            Outcome::NotStarted { reason } => format!("Couldn't find valid bootstrap(s): {reason}"),
            Outcome::Answered(_) | Outcome::InitError(_) => String::new(),
        }
    }
}

fn error(kind: &str, message: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": message }).to_string().into()
}

/// As Go's runtime spells them, in which AWS's supervisor is written.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}
