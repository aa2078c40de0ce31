//! HTTP requests with the retries that the protocol allows. Knows nothing of pages.

use super::ClientError;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

/// How long one request may take. Servers hold a poll for a few seconds at most.
pub const ANSWER_MAX: Duration = Duration::from_secs(60);
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Bytes of one page: the protocol's own bound on a page's data is 128 MB.
const PAGE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Requests for one page, the first one included.
const ATTEMPTS_MAX: u32 = 5;
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// Bytes of a foreign answer that an error message repeats.
const QUOTED_BYTES_MAX: usize = 400;

/// A cheap handle: clones share connections.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
}

pub struct Answer {
    pub url: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Http {
    pub fn new() -> Http {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_MAX));
        connector.set_nodelay(true);
        Http {
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    pub async fn post(&self, url: &str, headers: HeaderMap, body: &str) -> Result<Answer, ClientError> {
        self.insist(Method::POST, url, headers, Bytes::copy_from_slice(body.as_bytes()))
            .await
    }

    pub async fn get(&self, url: &str, user: &str) -> Result<Answer, ClientError> {
        self.insist(Method::GET, url, user_header(user), Bytes::new()).await
    }

    pub async fn delete(&self, url: &str, user: &str) -> Result<(), ClientError> {
        self.insist(Method::DELETE, url, user_header(user), Bytes::new())
            .await
            .map(|_| ())
    }

    /// Retries what may be asked again without harm. A repeated POST only registers the statement twice: the copy that nobody polls
    /// never starts.
    async fn insist(&self, method: Method, url: &str, headers: HeaderMap, body: Bytes) -> Result<Answer, ClientError> {
        let mut backoff = BACKOFF_FIRST;
        for _ in 1..ATTEMPTS_MAX {
            match self.once(&method, url, headers.clone(), body.clone()).await {
                Err(error) if is_worth_another(&error) => tokio::time::sleep(backoff).await,
                ended => return ended,
            }
            backoff *= 2;
        }
        self.once(&method, url, headers, body).await
    }

    async fn once(&self, method: &Method, url: &str, headers: HeaderMap, body: Bytes) -> Result<Answer, ClientError> {
        let exchange = self.exchange(method, url, headers, body);
        let silent = |_| ClientError::Silent { server: url.to_owned() };
        tokio::time::timeout(ANSWER_MAX, exchange).await.map_err(silent)?
    }

    async fn exchange(
        &self,
        method: &Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .body(Full::new(body))
            .map_err(|error| protocol(url, error))?;
        request.headers_mut().extend(headers);
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| unreached(url, error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, PAGE_BYTES_MAX)
            .collect()
            .await
            .map_err(|cause| ClientError::Transport {
                server: url.to_owned(),
                cause,
            })?;
        let body = body.to_bytes();
        if !head.status.is_success() {
            return Err(refused(url, head.status, &body));
        }
        Ok(Answer {
            url: url.to_owned(),
            headers: head.headers,
            body,
        })
    }
}

fn user_header(user: &str) -> HeaderMap {
    let value = HeaderValue::from_str(user).unwrap_or(HeaderValue::from_static("mayfly"));
    HeaderMap::from_iter([(header::HeaderName::from_static("x-trino-user"), value)])
}

fn is_worth_another(error: &ClientError) -> bool {
    match error {
        ClientError::Transport { .. } => true,
        ClientError::Status { status, .. } => matches!(
            *status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ),
        ClientError::Connect { .. } | ClientError::Silent { .. } | ClientError::Protocol { .. } => false,
    }
}

fn unreached(url: &str, cause: hyper_util::client::legacy::Error) -> ClientError {
    let server = origin(url);
    match cause.is_connect() {
        true => ClientError::Connect { server, cause },
        false => ClientError::Transport {
            server,
            cause: cause.into(),
        },
    }
}

fn refused(url: &str, status: StatusCode, body: &[u8]) -> ClientError {
    let text = String::from_utf8_lossy(&body[..body.len().min(QUOTED_BYTES_MAX)]);
    ClientError::Status {
        server: origin(url),
        status,
        body: text.trim().to_owned(),
    }
}

fn protocol(url: &str, error: impl std::fmt::Display) -> ClientError {
    ClientError::Protocol {
        server: origin(url),
        message: error.to_string(),
    }
}

/// Without the path: page addresses carry a secret, and messages end in logs.
pub fn origin(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}
