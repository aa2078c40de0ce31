//! How a command ends: exit codes that scripts can rely on, and the last words on stderr.

use crate::client::ClientError;
use crate::diagnosis::Diagnosis;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why a command did not do what was asked. Each variant is one exit code.
#[derive(Debug)]
pub enum Failure {
    /// The server understood and answered with an error. 1.
    Query(Box<Diagnosis>),
    /// Something on this side, or between the two, broke. 1.
    Broken(String),
    /// The command line made no sense. 2, as clap's own errors.
    Usage(String),
    /// The server could not be reached. 3.
    Connect(String),
    /// Ctrl-C or SIGTERM. 130.
    Canceled,
    /// Nobody reads stdout any more: not a failure of ours. 0.
    PipeClosed,
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Failure::Query(_) | Failure::Broken(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Connect(_) => 3,
            Failure::Canceled => 130,
            Failure::PipeClosed => 0,
        }
    }

    /// A broken thing with what we were doing when it broke.
    pub fn broken(doing: impl fmt::Display, cause: impl fmt::Display) -> Failure {
        Failure::Broken(format!("{doing}: {cause}"))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        match error {
            ClientError::Connect { .. } => Failure::Connect(chain(&error)),
            _ => Failure::Broken(chain(&error)),
        }
    }
}

/// An error of stdout: a closed pipe is the reader's choice.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::PipeClosed,
            _ => Failure::broken("cannot write the rows", error),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Query(diagnosis) => diagnosis.fmt(f),
            Failure::Broken(message) | Failure::Usage(message) | Failure::Connect(message) => f.write_str(message),
            Failure::Canceled => f.write_str("canceled"),
            Failure::PipeClosed => f.write_str("nobody reads the output"),
        }
    }
}

/// `a: b: c` from an error and its causes.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Says what went wrong and turns it into the process's exit code.
pub fn code(ended: Result<(), Failure>) -> ExitCode {
    let Err(failure) = ended else {
        return ExitCode::SUCCESS;
    };
    if !matches!(failure, Failure::PipeClosed) {
        let text = format!("{} {failure}", crate::shown::emphasis("error:"));
        // stderr may be closed as well, and then there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{}", text.trim_end());
    }
    ExitCode::from(failure.code())
}
