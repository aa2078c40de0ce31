//! A server that answers every statement with the same scripted pages, for tests of what stands on this side of the wire.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use url::Url;

pub const QUERY: &str = "20261120_151209_00042_k3x9a";

/// One page: what it says, beside id and `nextUri`, which the stub fills in.
#[derive(Clone, Debug)]
pub enum Script {
    Page(Value),
    PageWith(Value, &'static str, &'static str),
    /// Refused once with this status, then as the page after it.
    Busy(StatusCode),
    /// Not answered until the statement is cancelled.
    Hang,
}

#[derive(Debug, Default)]
pub struct Seen {
    pub statements: Vec<(String, HeaderMap)>,
    pub deletes: u32,
    busy: u32,
}

#[derive(Clone)]
struct Stub {
    origin: String,
    scripts: Arc<Vec<Script>>,
    seen: Arc<Mutex<Seen>>,
}

/// Serves until the runtime ends.
pub async fn serve(scripts: Vec<Script>) -> (Url, Arc<Mutex<Seen>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Seen::default()));
    let stub = Stub {
        origin: origin.clone(),
        scripts: Arc::new(scripts),
        seen: seen.clone(),
    };
    let routes = Router::new()
        .route("/v1/statement", post(submit))
        .route("/v1/statement/executing/{n}", get(page).delete(cancel))
        .with_state(stub);
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (origin.parse().unwrap(), seen)
}

async fn submit(State(stub): State<Stub>, headers: HeaderMap, sql: String) -> impl IntoResponse {
    stub.seen.lock().unwrap().statements.push((sql, headers));
    stub.answer(json!({}), 0).into_response()
}

async fn page(State(stub): State<Stub>, Path(n): Path<usize>) -> axum::response::Response {
    match stub.scripts[n].clone() {
        Script::Page(page) => stub.answer(page, n + 1).into_response(),
        Script::PageWith(page, name, value) => ([(name, value)], stub.answer(page, n + 1)).into_response(),
        Script::Busy(status) if stub.first_time() => (status, "later").into_response(),
        Script::Busy(_) => stub.answer(json!({}), n + 1).into_response(),
        Script::Hang => {
            while stub.seen.lock().unwrap().deletes == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            stub.answer(
                json!({"error": {"message": "canceled", "errorName": "USER_CANCELED"}}),
                usize::MAX,
            )
            .into_response()
        }
    }
}

async fn cancel(State(stub): State<Stub>) -> StatusCode {
    stub.seen.lock().unwrap().deletes += 1;
    StatusCode::NO_CONTENT
}

impl Stub {
    fn answer(&self, page: Value, next: usize) -> axum::Json<Value> {
        let mut page = page;
        page["id"] = QUERY.into();
        if next < self.scripts.len() {
            page["nextUri"] = format!("{}/v1/statement/executing/{next}", self.origin).into();
        }
        axum::Json(page)
    }

    fn first_time(&self) -> bool {
        let mut seen = self.seen.lock().unwrap();
        seen.busy += 1;
        seen.busy == 1
    }
}
