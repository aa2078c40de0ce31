//! A road to S3 that lets everything through, and tells of each journal record that has become durable before its writer hears of it.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Where journal records lie, as the wire names them.
const JOURNAL: &str = "/mayfly/j/";

/// What is done at each record, which is told its number from 0 on.
pub type AtRecord = Box<dyn Fn(usize) + Send + Sync>;

/// Dropping it closes the road.
pub struct Proxy {
    pub url: String,
    road: Arc<Road>,
    listener: AbortHandle,
}

struct Road {
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    records: AtomicUsize,
    at_record: AtRecord,
}

impl Proxy {
    pub async fn start(upstream: &str, at_record: AtRecord) -> Proxy {
        let road = Arc::new(Road {
            upstream: upstream.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            records: AtomicUsize::new(0),
            at_record,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let shared = Arc::clone(&road);
        let accept = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let road = Arc::clone(&shared);
                let service = service_fn(move |request| Arc::clone(&road).answer(request));
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        };
        let listener = tokio::spawn(accept).abort_handle();
        Proxy { url, road, listener }
    }

    /// Records that passed.
    pub fn records(&self) -> usize {
        self.road.records.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Road {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let is_record = request.method() == Method::PUT && request.uri().path().starts_with(JOURNAL);
        let answer = self.client.request(self.forwarded(request).await?).await;
        let (parts, body) = answer.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        if is_record && parts.status == StatusCode::OK {
            (self.at_record)(self.records.fetch_add(1, Ordering::SeqCst));
        }
        Ok(Response::from_parts(parts, Full::new(body)))
    }

    /// The same request, host header included: it is signed.
    async fn forwarded(&self, request: Request<Incoming>) -> io::Result<Request<Full<Bytes>>> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.upstream).parse().expect("a path that arrived");
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Request::from_parts(parts, Full::new(body)))
    }
}
