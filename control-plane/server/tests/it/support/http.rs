//! The least of a Trino client: POST, then GET after GET.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client as Legacy, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::net::SocketAddr;
use tower::ServiceExt;
use tower_http::decompression::Decompression;

pub struct Client {
    pub base: String,
    http: Legacy<HttpConnector, Full<Bytes>>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {:?}", self.bytes))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.to_vec()).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A query read to its end.
pub struct Fetched {
    pub pages: Vec<Value>,
    pub rows: Vec<Value>,
}

impl Fetched {
    pub fn last(&self) -> &Value {
        self.pages.last().unwrap()
    }
}

impl Client {
    pub fn new(addr: SocketAddr) -> Client {
        Client {
            base: format!("http://{addr}"),
            http: Legacy::builder(TokioExecutor::new()).build_http(),
        }
    }

    pub async fn send(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let uri = if uri.starts_with("http") {
            uri.to_owned()
        } else {
            format!("{}{uri}", self.base)
        };
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .http
            .request(request.body(Full::new(body.into())).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub async fn get(&self, uri: &str) -> Answer {
        self.send(Method::GET, uri, &[], "").await
    }

    /// The body of a page that was asked for and sent as gzip.
    pub async fn get_unpacked(&self, uri: &str) -> Bytes {
        let request = Request::builder().uri(uri).body(Full::new(Bytes::new())).unwrap();
        let response = Decompression::new(self.http.clone()).oneshot(request).await.unwrap();
        let body = response
            .into_body()
            .collect()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        body.to_bytes()
    }

    pub async fn delete(&self, uri: &str) -> Answer {
        self.send(Method::DELETE, uri, &[], "").await
    }

    pub async fn head(&self, uri: &str) -> Answer {
        self.send(Method::HEAD, uri, &[], "").await
    }

    pub async fn post(&self, sql: &str) -> Answer {
        self.post_with(sql, &[]).await
    }

    pub async fn post_with(&self, sql: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("x-trino-user", "ann"),
            ("x-trino-client-capabilities", "PARAMETRIC_DATETIME"),
        ];
        all.extend(headers);
        self.send(Method::POST, "/v1/statement", &all, sql.to_owned()).await
    }

    /// The first `nextUri` of a statement.
    pub async fn submit(&self, sql: &str) -> String {
        next(&self.post(sql).await.json()).expect("a registered statement has a next page")
    }

    pub async fn fetch(&self, sql: &str) -> Fetched {
        let first = self.post(sql).await.json();
        self.follow(first, "").await
    }

    /// From a page to the end, with `parameters` on each URI.
    pub async fn follow(&self, first: Value, parameters: &str) -> Fetched {
        let mut fetched = Fetched {
            pages: vec![first],
            rows: Vec::new(),
        };
        while let Some(uri) = next(fetched.last()) {
            let answer = self.get(&format!("{uri}{parameters}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            let page = answer.json();
            fetched
                .rows
                .extend(page["data"].as_array().cloned().unwrap_or_default());
            fetched.pages.push(page);
        }
        fetched
    }
}

pub fn next(page: &Value) -> Option<String> {
    page.get("nextUri")
        .map(|uri| uri.as_str().expect("a URI is a string").to_owned())
}
