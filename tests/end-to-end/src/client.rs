//! A client of the wire, as small as can be: POST, follow `nextUri`, DELETE. Reads what any Trino client reads.

use crate::table::{Table, canonical_float};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::net::IpAddr;

/// How a query ended when it did not end in rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFailure {
    pub name: String,
    pub message: String,
    pub location: Option<(u64, u64)>,
}

/// A whole answer and the last page's statistics.
#[derive(Clone, Debug)]
pub struct Answer {
    pub table: Table,
    pub stats: Value,
    pub query_id: String,
}

#[derive(Clone)]
pub struct Client {
    http: HttpClient<HttpConnector, Full<Bytes>>,
    server: String,
    schema: String,
    user: String,
    session: Vec<(String, String)>,
}

impl Client {
    pub fn new(server: &str, schema: &str) -> Client {
        let http = HttpClient::builder(TokioExecutor::new()).build_http();
        Client {
            http,
            server: server.to_owned(),
            schema: schema.to_owned(),
            user: "analyst".to_owned(),
            session: Vec::new(),
        }
    }

    /// The same client as another user, who calls from that address.
    pub fn of(mut self, user: &str, address: IpAddr) -> Client {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(address));
        self.http = HttpClient::builder(TokioExecutor::new()).build(connector);
        user.clone_into(&mut self.user);
        self
    }

    /// The same client with a session property set.
    pub fn with(mut self, key: &str, value: impl ToString) -> Client {
        self.session.retain(|(other, _)| other != key);
        self.session.push((key.to_owned(), value.to_string()));
        self
    }

    pub async fn get_json(&self, url: &str) -> Value {
        let (status, body) = self.send(Method::GET, url, "").await;
        assert_eq!(status, 200, "GET {url}");
        serde_json::from_slice(&body).expect("the body is JSON")
    }

    /// None if nobody answers there.
    pub async fn try_get_json(&self, url: &str) -> Option<Value> {
        let request = Request::builder().uri(url).body(Full::new(Bytes::new())).ok()?;
        let response = self.http.request(request).await.ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        assert_eq!(status, 200, "GET {url}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).ok()
    }

    /// A page; none if there is none, or nobody answers.
    pub async fn try_page(&self, url: &str) -> Option<Value> {
        let request = Request::builder().uri(url).body(Full::new(Bytes::new())).ok()?;
        let response = self.http.request(request).await.ok()?;
        let is_page = response.status().is_success();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        serde_json::from_slice(&body).ok().filter(|_| is_page)
    }

    pub async fn put_json(&self, url: &str, body: &Value) {
        let (status, answer) = self.send(Method::PUT, url, &body.to_string()).await;
        assert!(status < 300, "PUT {url}: {}", String::from_utf8_lossy(&answer));
    }

    async fn send(&self, method: Method, url: &str, body: &str) -> (u16, Bytes) {
        let session: Vec<String> = self
            .session
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header("X-Trino-User", &self.user)
            .header("X-Trino-Catalog", "lake")
            .header("X-Trino-Schema", &self.schema)
            .header("X-Trino-Client-Capabilities", "PARAMETRIC_DATETIME")
            .header("X-Trino-Session", session.join(","))
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .expect("a valid request");
        let response = self.http.request(request).await.expect("the server answers");
        let status = response.status().as_u16();
        (
            status,
            response
                .into_body()
                .collect()
                .await
                .expect("the body arrives")
                .to_bytes(),
        )
    }

    /// Submits without polling on: the first page.
    pub async fn submit(&self, sql: &str) -> Value {
        let (status, body) = self
            .send(Method::POST, &format!("{}/v1/statement", self.server), sql)
            .await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("the page is JSON")
    }

    pub async fn cancel(&self, page: &Value) {
        let url = page["nextUri"].as_str().expect("the query has not ended");
        assert_eq!(self.send(Method::DELETE, url, "").await.0, 204);
    }

    /// Follows the pages to the end, handing each to `see`.
    pub async fn follow(&self, mut page: Value, mut see: impl FnMut(&Value)) -> Value {
        loop {
            see(&page);
            let Some(next) = page["nextUri"].as_str() else {
                return page;
            };
            page = self.get_json(next).await;
        }
    }

    pub async fn query(&self, sql: &str) -> Result<Answer, QueryFailure> {
        let (mut columns, mut rows) = (Vec::new(), Vec::new());
        let first = self.submit(sql).await;
        let last = self
            .follow(first, |page| {
                if let Some(shown) = page["columns"].as_array() {
                    columns.clone_from(shown);
                }
                rows.extend(page["data"].as_array().cloned().unwrap_or_default());
            })
            .await;
        if !last["error"].is_null() {
            return Err(failure(&last["error"]));
        }
        let text =
            |column: &Value, field: &str| column[field].as_str().expect("columns have names and types").to_owned();
        let types: Vec<String> = columns.iter().map(|column| text(column, "type")).collect();
        let table = Table {
            columns: columns.iter().map(|column| text(column, "name")).collect(),
            rows: rows.iter().map(|row| cells(row, &types)).collect(),
            types,
        };
        Ok(Answer {
            table,
            stats: last["stats"].clone(),
            query_id: text(&last, "id"),
        })
    }
}

fn failure(error: &Value) -> QueryFailure {
    let place = &error["errorLocation"];
    let location = place["lineNumber"].as_u64().zip(place["columnNumber"].as_u64());
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    QueryFailure {
        name: text("errorName"),
        message: text("message"),
        location,
    }
}

fn cells(row: &Value, types: &[String]) -> Vec<Option<String>> {
    row.as_array()
        .expect("a row is an array")
        .iter()
        .zip(types)
        .map(|(cell, column)| cell_text(cell, column))
        .collect()
}

fn cell_text(cell: &Value, column: &str) -> Option<String> {
    match cell {
        Value::Null => None,
        // Infinities and NaN are strings.
        Value::String(text) if is_float(column) => Some(canonical_float(text)),
        Value::String(text) => Some(text.clone()),
        number if is_float(column) => Some(canonical_float(&number.to_string())),
        other => Some(other.to_string()),
    }
}

fn is_float(column: &str) -> bool {
    column == "double" || column == "real"
}
