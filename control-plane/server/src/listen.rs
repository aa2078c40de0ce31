//! The accept loop: bounds on connections, heads and time, which no framework's default sets. Leaves out what is answered.

use crate::callers::{Caller, Callers, Held};
use crate::settings::{HEAD_BYTES_MAX, REQUEST_READ_DURATION_MAX, ServerSettings};
use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long open requests may take to end when the server stops. Polls are held at most a second.
const DRAIN_DURATION_MAX: Duration = Duration::from_secs(2);
/// After a failed accept, usually for want of file descriptors, which others must close first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then lets open requests end.
pub async fn run(listener: TcpListener, router: Router, settings: &ServerSettings, shutdown: CancellationToken) {
    let permits = Arc::new(Semaphore::new(settings.connections_max));
    let callers = Callers::new(settings.connections_per_client_max);
    let graceful = GracefulShutdown::new();
    loop {
        let next = tokio::select! {
            next = accept(&listener, &permits) => next,
            () = shutdown.cancelled() => break,
        };
        let Some((stream, address, permit)) = next else {
            continue;
        };
        let caller = Caller::of(address);
        // One that has too many hears nothing: an answer would cost more than it did.
        if let Some(held) = callers.admit(caller) {
            serve(stream, caller, (permit, held), router.clone(), &graceful);
        }
    }
    drop(listener);
    if timeout(DRAIN_DURATION_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still open when the server stopped");
    }
}

/// Takes a permit first: beyond the cap, clients wait in the listen queue instead of in our memory.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let permit = permits
        .clone()
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer.ip(), permit)),
        Err(error) => {
            tracing::warn!(%error, "cannot accept");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn serve(
    stream: TcpStream,
    caller: Caller,
    place: (OwnedSemaphorePermit, Held),
    router: Router,
    graceful: &GracefulShutdown,
) {
    // A page is written in pieces; without this each would wait for the one before to be acknowledged.
    let _ = stream.set_nodelay(true);
    let line = place.1.line.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(caller);
        let (router, working) = (router.clone(), line.work());
        async move {
            let answer = router.oneshot(request).await;
            drop(working);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Also closes connections that stay idle: the time runs from the end of the answer before.
        .header_read_timeout(REQUEST_READ_DURATION_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        tokio::select! {
            // Clients hang up when they like; that is no news.
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
            }
            () = place.1.line.closed() => tracing::debug!("an idle connection made room for its client's next"),
        }
        drop(place);
    });
}
