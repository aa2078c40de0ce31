//! `/v1/statement`: submit, poll, heartbeat, cancel. An error of a query is a 200 with `error`; other statuses mean that the
//! request itself was wrong.

use super::{App, refuse};
use crate::callers::Caller;
use crate::client::Client;
use crate::clock;
use crate::quantity;
use crate::query::{PollError, Query, Stand, Want};
use crate::result::{Page, refusal};
use crate::settings::{BODY_BYTES_MAX, PAGE_BYTES_DEFAULT, PAGE_BYTES_MAX, REQUEST_READ_DURATION_MAX};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query as Parameters, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use mayfly_protocol::limits::SQL_BYTES_MAX;
use mayfly_protocol::{ErrorCode, QueryError};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Registers the statement. It starts with the first poll: a client that repeats a POST starts nothing twice.
pub async fn submit(State(app): State<App>, uri: Uri, headers: HeaderMap, body: Body) -> Response {
    match register(&app, &uri, &headers, body).await {
        Ok(page) => page.into_response(),
        Err((status, message)) => refuse(status, &message),
    }
}

async fn register(app: &App, uri: &Uri, headers: &HeaderMap, body: Body) -> Result<Page, (StatusCode, String)> {
    let client = Client::from_headers(headers).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let sql = text(body).await?;
    let base = app.base(headers, uri);
    let id = app.registry.issue();
    let registered = within_bound(&sql).and_then(|()| app.registry.register(id.clone(), sql, client));
    Ok(match registered {
        Ok(query) => query.registered(&base),
        Err(error) => refusal(&id, &base, error, clock::now()),
    })
}

/// The SQL in the body, whatever its content type says.
async fn text(body: Body) -> Result<String, (StatusCode, String)> {
    let refuse = |status, message: &str| Err((status, message.to_owned()));
    let bytes = match timeout(REQUEST_READ_DURATION_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
        Ok(Err(error)) if is_too_long(&error) => return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        Ok(Err(_)) => return refuse(StatusCode::BAD_REQUEST, "the body cannot be read"),
        Ok(Ok(bytes)) => bytes,
    };
    match String::from_utf8(bytes.into()) {
        Err(_) => refuse(StatusCode::BAD_REQUEST, "the statement is not UTF-8"),
        Ok(sql) if sql.contains('\0') => refuse(StatusCode::BAD_REQUEST, "the statement has a NUL character"),
        Ok(sql) if sql.trim().is_empty() => refuse(StatusCode::BAD_REQUEST, "the statement is empty"),
        Ok(sql) => Ok(sql),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

fn within_bound(sql: &str) -> Result<(), QueryError> {
    match sql.len() <= SQL_BYTES_MAX {
        true => Ok(()),
        false => {
            let message = format!("the statement has {} bytes, more than {SQL_BYTES_MAX}", sql.len());
            Err(QueryError::new(ErrorCode::QueryTextTooLarge, message))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollParameters {
    max_wait: Option<String>,
    target_result_size: Option<String>,
}

/// `{id}/{slug}/{token}`, the token followed by `.` and a [`Cursor`](crate::query::Cursor) once rows were shown
type Place = (String, String, String);

pub async fn page(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    Extension(caller): Extension<Caller>,
    Path(place): Path<Place>,
    Parameters(parameters): Parameters<PollParameters>,
) -> Response {
    let (query, token) = match find(&app, caller, &place).await {
        Ok(Some(found)) => found,
        Ok(None) => return refuse(StatusCode::NOT_FOUND, "no such query"),
        // Clients ask again.
        Err(error) => return refuse(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    };
    let Some((wait_max, page_bytes)) = parameters.read() else {
        return refuse(StatusCode::BAD_REQUEST, "maxWait or targetResultSize cannot be read");
    };
    let want = Want {
        token,
        wait_max,
        page_bytes,
        base: app.base(&headers, &uri),
    };
    match query.poll(want, &app.engine, &app.settings).await {
        Ok(page) => page.into_response(),
        Err(PollError::Gone) => refuse(StatusCode::GONE, "this page is gone"),
        Err(PollError::Unknown) => refuse(StatusCode::NOT_FOUND, "no such page"),
    }
}

impl PollParameters {
    /// A page takes at least one row, so a size of nothing is no size.
    fn read(&self) -> Option<(Option<Duration>, usize)> {
        let wait = match &self.max_wait {
            None => None,
            Some(text) => Some(quantity::duration(text)?),
        };
        let size = match &self.target_result_size {
            None => PAGE_BYTES_DEFAULT,
            Some(text) => quantity::bytes(text)?,
        };
        Some((wait, size.clamp(1, PAGE_BYTES_MAX)))
    }
}

/// Says that the client is alive.
pub async fn heartbeat(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(place): Path<Place>,
) -> StatusCode {
    match find(&app, caller, &place).await {
        Ok(Some((query, _))) => {
            query.touch();
            StatusCode::OK
        }
        Ok(None) => StatusCode::NOT_FOUND,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// 204 whatever there was to cancel: Python takes any other status for an error, and asks also after the end.
pub async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(place): Path<Place>,
) -> StatusCode {
    if let Ok(Some((query, _))) = find(&app, caller, &place).await {
        query.stop(QueryError::new(ErrorCode::UserCanceled, "query was canceled"));
    }
    StatusCode::NO_CONTENT
}

/// The query, if the secret is its own. Unknown and foreign look the same.
async fn find(app: &App, caller: Caller, (id, slug, place): &Place) -> Result<Option<(Arc<Query>, u64)>, QueryError> {
    let (token, at) = match place.split_once('.') {
        Some((token, at)) => (token, Some(at)),
        None => (place.as_str(), None),
    };
    let (Ok(id), Ok(token)) = (id.parse(), token.parse()) else {
        return Ok(None);
    };
    let stand = Stand { slug, token, at };
    let found = app.registry.find(&app.engine, &id, stand, caller).await?;
    Ok(found.map(|query| (query, token)))
}
