//! The accept loop: bounds on connections, heads and time, which no framework's default sets. Leaves out what is answered.

use crate::settings::{HEAD_BYTES_MAX, REQUEST_READ_DURATION_MAX};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long open requests may take to end when the server stops. Polls are held at most a second.
const DRAIN_DURATION_MAX: Duration = Duration::from_secs(2);
/// After a failed accept, usually for want of file descriptors, which others must close first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then lets open requests end.
pub async fn run(listener: TcpListener, router: Router, connections_max: usize, shutdown: CancellationToken) {
    let permits = Arc::new(Semaphore::new(connections_max));
    let graceful = GracefulShutdown::new();
    loop {
        let next = tokio::select! {
            next = accept(&listener, &permits) => next,
            () = shutdown.cancelled() => break,
        };
        if let Some((stream, permit)) = next {
            serve(stream, permit, router.clone(), &graceful);
        }
    }
    drop(listener);
    if timeout(DRAIN_DURATION_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still open when the server stopped");
    }
}

/// Takes a permit first: beyond the cap, clients wait in the listen queue instead of in our memory.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits
        .clone()
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(%error, "cannot accept");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn serve(stream: TcpStream, permit: OwnedSemaphorePermit, router: Router, graceful: &GracefulShutdown) {
    // A page is written in pieces; without this each would wait for the one before to be acknowledged.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Also closes connections that stay idle: the time runs from the end of the answer before.
        .header_read_timeout(REQUEST_READ_DURATION_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // Clients hang up when they like; that is no news.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended");
        }
        drop(permit);
    });
}
