//! Logs to stderr, where the platform collects them: text for people, JSON for machines.

use mayfly_protocol::env;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

/// `MAYFLY_LOG` filters (default `info`), `MAYFLY_LOG_FORMAT` is `text` or `json`. A process that already logs keeps its way.
pub fn init() {
    let filter = EnvFilter::try_from_env(env::LOG).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = SubscriberBuilder::default()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::io::stderr);
    let json = std::env::var(env::LOG_FORMAT).is_ok_and(|format| format == "json");
    let _ = match json {
        true => builder.json().flatten_event(true).try_init(),
        false => builder.try_init(),
    };
    log_panics();
}

/// A panic becomes a failed attempt; where it happened goes to the log, in one line.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = mayfly_fragment::panic_message(panic.payload());
        tracing::error!(place, message, "panic");
    }));
}
