//! Log lines on stderr, as text or JSON. Which ones: `MAYFLY_LOG`, else `info` for a server and `warn` for everything else.

use crate::arguments::{Arguments, Command, LogFormat};
use mayfly_protocol::env;
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// Default filters. The S3 wire of the emulator reports every 404 as an error of its own.
pub const SERVE: &str = "info,s3s=off";
pub const OTHERS: &str = "warn,s3s=off";

/// The filter of the environment, else `default`.
pub fn filter(default: &str) -> String {
    let set = std::env::var(env::LOG).ok().filter(|filter| !filter.trim().is_empty());
    set.unwrap_or_else(|| default.to_owned())
}

pub fn start(arguments: &Arguments) {
    let default = match &arguments.command {
        Command::Serve(_) => SERVE,
        _ => OTHERS,
    };
    start_as(&filter(default), arguments.log);
}

/// A planner's lines are its server's, which passes them on.
pub fn start_planner() {
    let is_json = std::env::var(env::LOG_FORMAT).is_ok_and(|format| format == LogFormat::Json.name());
    start_as(&filter(SERVE), if is_json { LogFormat::Json } else { LogFormat::Text });
}

fn start_as(filter: &str, format: LogFormat) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // A second subscriber in one process (tests) keeps the first.
    let _ = match format {
        LogFormat::Text => lines.finish().try_init(),
        LogFormat::Json => lines.json().finish().try_init(),
    };
}
