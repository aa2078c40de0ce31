//! A server with a canned engine, and a client that reads its JSON.

pub mod canned;
pub mod every_type;
mod fake_query;
pub mod http;

pub use canned::Canned;
pub use http::{Answer, Client};

use mayfly_server::{ServerHandle, ServerSettings, serve};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A server of its own for each test, on a port that the system picks.
pub struct Bench {
    pub engine: Arc<Canned>,
    pub client: Client,
    pub server: ServerHandle,
    pub shutdown: CancellationToken,
}

pub fn settings() -> ServerSettings {
    ServerSettings::new("127.0.0.1:0".parse().unwrap())
}

pub async fn start(settings: ServerSettings) -> Bench {
    let engine = Arc::new(Canned::default());
    let shutdown = CancellationToken::new();
    let server = serve(settings, engine.clone(), shutdown.clone()).await.unwrap();
    let client = Client::new(server.addr);
    Bench {
        engine,
        client,
        server,
        shutdown,
    }
}

pub async fn bench() -> Bench {
    start(settings()).await
}
