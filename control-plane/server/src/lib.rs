//! HTTP for clients: the Trino client protocol under `/v1/statement`, and a small native API beside it.
//!
//! Leaves out planning and running: those stand behind [`engine::Engine`], which whoever starts the server brings along.
//!
//! ```text
//! listen ── route ── query ── engine     a poll, from the socket to the planner and driver
//!             │        │
//!          client    result ── cell      and back: rows to bytes, a document around them
//! ```

pub mod coordinator;
pub mod engine;
pub mod settings;
pub mod types;

mod address;
mod analyze;
mod callers;
mod cell;
mod client;
mod clock;
mod health;
mod learn;
mod listen;
mod planning;
mod presentation;
mod quantity;
mod query;
mod result;
mod route;
mod sql;

pub use coordinator::Coordinator;
pub use engine::Engine;
pub use planning::{PlannerPort, PlannerProgram, Planners, serve_planner};
pub use settings::{LocalInfo, LocalKeys, ServerSettings};

use query::Registry;
use route::{App, router};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Between two looks for abandoned and old queries: a quarter of the shortest limit, within these bounds.
const SWEEP_PAUSE_MIN: Duration = Duration::from_millis(20);
const SWEEP_PAUSE_MAX: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        cause: std::io::Error,
    },
}

/// A server that answers.
#[derive(Debug)]
pub struct ServerHandle {
    /// With the port that was picked, if 0 was asked for.
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl ServerHandle {
    /// Returns when the server has stopped and its requests have ended.
    pub async fn stopped(self) {
        // An error means that the task is gone, which is what was waited for.
        let _ = self.task.await;
    }
}

/// Answers on `settings.listen` from when this returns until `shutdown`. Queries that still run then are the engine's to end.
pub async fn serve(
    settings: ServerSettings,
    engine: Arc<dyn Engine>,
    shutdown: CancellationToken,
) -> Result<ServerHandle, ServeError> {
    let refused = |cause| ServeError::Listen {
        address: settings.listen,
        cause,
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    let settings = Arc::new(settings);
    let registry = Arc::new(Registry::new(settings.clone()));
    let app = App {
        registry: registry.clone(),
        engine,
        settings: settings.clone(),
        health: Arc::default(),
        bound: addr,
        started: Instant::now(),
    };
    tokio::spawn(sweep(registry, sweep_pause(&settings), shutdown.clone()));
    let task = tokio::spawn(async move { listen::run(listener, router(app), &settings, shutdown).await });
    Ok(ServerHandle { addr, task })
}

fn sweep_pause(settings: &ServerSettings) -> Duration {
    let shortest = settings
        .client_timeout
        .min(settings.ended_age_max)
        .min(settings.rows_age_max);
    (shortest / 4).clamp(SWEEP_PAUSE_MIN, SWEEP_PAUSE_MAX)
}

async fn sweep(registry: Arc<Registry>, pause: Duration, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(pause);
    loop {
        tokio::select! {
            _ = ticks.tick() => registry.sweep(),
            () = shutdown.cancelled() => return,
        }
    }
}
