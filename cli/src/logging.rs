//! Log lines on stderr, as text or JSON. Which ones: `MAYFLY_LOG`, else `info` for a server and `warn` for everything else.

use crate::arguments::{Arguments, Command, LogFormat};
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

const FILTER: &str = "MAYFLY_LOG";

pub fn start(arguments: &Arguments) {
    let level = default_level(&arguments.command);
    let filter = EnvFilter::builder()
        .with_env_var(FILTER)
        .with_default_directive(level.into())
        .from_env_lossy();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // A second subscriber in one process (tests) keeps the first.
    let _ = match arguments.log {
        LogFormat::Text => lines.finish().try_init(),
        LogFormat::Json => lines.json().finish().try_init(),
    };
}

fn default_level(command: &Command) -> tracing::level_filters::LevelFilter {
    use tracing::level_filters::LevelFilter;
    match command {
        Command::Query(_) | Command::Explain(_) | Command::Load(_) => LevelFilter::WARN,
    }
}
