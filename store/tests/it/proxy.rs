//! A road to S3 that misbehaves on order: it refuses, loses answers after the work was done, or breaks bodies off.

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// 503 without asking S3.
    Refuse,
    /// S3 does the work, the client is told 500.
    LoseAnswer,
    /// The headers promise the whole body, half of it comes.
    BreakBody,
}

type Body = http_body_util::combinators::BoxBody<Bytes, io::Error>;

pub struct Proxy {
    pub url: String,
    shared: Arc<Shared>,
    listener: AbortHandle,
}

struct Shared {
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    /// Of the next requests, in order; beyond them none.
    faults: Mutex<VecDeque<Fault>>,
    connections: AtomicU64,
}

impl Proxy {
    pub async fn start(upstream: &str) -> Proxy {
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            faults: Mutex::default(),
            connections: AtomicU64::new(0),
        });
        let (url, listener) = listen(Arc::clone(&shared)).await;
        Proxy { url, shared, listener }
    }

    pub fn plan(&self, faults: &[Fault]) {
        *self.shared.faults.lock().expect("no panic") = faults.iter().copied().collect();
    }

    pub fn connections(&self) -> u64 {
        self.shared.connections.load(SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn listen(shared: Arc<Shared>) -> (String, AbortHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let accept = async move {
        while let Ok((stream, _)) = listener.accept().await {
            shared.connections.fetch_add(1, SeqCst);
            let shared = Arc::clone(&shared);
            let service = service_fn(move |request| Arc::clone(&shared).answer(request));
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    };
    (url, tokio::spawn(accept).abort_handle())
}

impl Shared {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
        let fault = self.faults.lock().expect("no panic").pop_front().unwrap_or(Fault::None);
        let request = self.forwarded(request).await?;
        if fault == Fault::Refuse {
            return Ok(empty(StatusCode::SERVICE_UNAVAILABLE));
        }
        let answer = self.client.request(request).await.map_err(io::Error::other)?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(match fault {
            Fault::LoseAnswer => empty(StatusCode::INTERNAL_SERVER_ERROR),
            Fault::BreakBody => Response::from_parts(parts, broken(body)),
            _ => Response::from_parts(parts, Full::new(body).map_err(|never| match never {}).boxed()),
        })
    }

    /// The same request, host header included: it is signed.
    async fn forwarded(&self, request: Request<Incoming>) -> Result<Request<Full<Bytes>>, io::Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.upstream).parse().expect("a path that arrived");
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Request::from_parts(parts, Full::new(body)))
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let body = Full::new(Bytes::new()).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// Half the body, then a broken connection. The pause lets the first half out before the connection goes.
fn broken(body: Bytes) -> Body {
    let half = Ok(Frame::data(body.slice(..body.len() / 2)));
    let cut = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        Err(io::Error::other("cut"))
    };
    BodyExt::boxed(StreamBody::new(
        futures::stream::iter([half]).chain(futures::stream::once(Box::pin(SyncFuture(Box::pin(cut))))),
    ))
}

/// A boxed body must be `Sync`; a future that is only ever polled through `&mut` may well be.
struct SyncFuture<T>(std::pin::Pin<Box<dyn Future<Output = T> + Send + Sync>>);

impl<T> Future for SyncFuture<T> {
    type Output = T;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<T> {
        self.0.as_mut().poll(context)
    }
}

/// A server that says yes to everything.
pub struct YesMan {
    pub url: String,
    listener: AbortHandle,
}

impl YesMan {
    pub async fn start() -> YesMan {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let accept = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let yes = service_fn(|request: Request<Incoming>| async {
                    request.into_body().collect().await.map_err(io::Error::other)?;
                    let answer = Response::builder().header("etag", "\"yes\"");
                    Ok::<_, io::Error>(answer.body(Full::new(Bytes::new())).expect("a plain answer"))
                });
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), yes));
            }
        };
        let listener = tokio::spawn(accept).abort_handle();
        YesMan { url, listener }
    }
}

impl Drop for YesMan {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
