//! Which path is answered by what, and what holds for all of them.

mod info;
mod query;
mod statement;

use crate::address;
use crate::engine::Engine;
use crate::health::Health;
use crate::query::Registry;
use crate::settings::{HEAD_BYTES_MAX, ServerSettings};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, Request, StatusCode, Uri};
use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Of gzip, 1 to 9. Pages are made for one reader and read once, so it is low; the two levels below it find hardly any repetition in rows.
const COMPRESSION_LEVEL: i32 = 3;

/// Smaller answers go as they are.
const COMPRESSED_BYTES_MIN: u16 = 1024;

/// Of a foreign name, in the refusal.
const NAME_CHARS_MAX: usize = 100;

/// What every handler can reach.
#[derive(Clone)]
pub struct App {
    pub registry: Arc<Registry>,
    pub engine: Arc<dyn Engine>,
    pub health: Arc<Health>,
    pub settings: Arc<ServerSettings>,
    /// The address we listen on.
    pub bound: SocketAddr,
    pub started: Instant,
}

impl App {
    fn base(&self, headers: &HeaderMap, uri: &Uri) -> String {
        address::base(headers, uri, &self.settings, self.bound)
    }
}

pub fn router(app: App) -> Router {
    let gzip = app.settings.gzip;
    let meant = from_fn_with_state(app.settings.clone(), meant_for_us);
    let page = get(statement::page)
        .head(statement::heartbeat)
        .delete(statement::cancel);
    let routes = Router::new()
        .route("/", get(info::home))
        .route("/v1/statement", post(statement::submit))
        .route("/v1/statement/queued/{id}/{slug}/{token}", page.clone())
        .route("/v1/statement/executing/{id}/{slug}/{token}", page)
        .route("/v1/query", get(query::list))
        .route("/v1/query/{id}", get(query::show).delete(query::kill))
        .route("/v1/info", get(info::info))
        .route("/v1/info/state", get(info::state))
        .route("/v1/mayfly/info", get(info::local))
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "no such resource") })
        .with_state(app);
    let routes = if gzip { routes.layer(compression()) } else { routes };
    routes
        .layer(meant)
        .layer(from_fn(bounded))
        .layer(CatchPanicLayer::custom(panicked))
}

async fn meant_for_us(State(settings): State<Arc<ServerSettings>>, request: Request<Body>, next: Next) -> Response {
    match address::foreign_name(request.headers(), request.uri(), &settings) {
        None => next.run(request).await,
        Some(name) => {
            let name: String = name.chars().take(NAME_CHARS_MAX).collect();
            let words =
                format!("this server does not answer to the name '{name}'; if it is its own, start it with --name");
            refuse(StatusCode::MISDIRECTED_REQUEST, &words)
        }
    }
}

/// hyper bounds a head only while it is incomplete: one that arrives in a single read can be longer than its buffer.
async fn bounded(request: Request<Body>, next: Next) -> Response {
    let headers = request.headers().iter();
    let bytes: usize = headers.map(|(name, value)| name.as_str().len() + value.len()).sum();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    match bytes + target <= HEAD_BYTES_MAX {
        true => next.run(request).await,
        false => refuse(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "the request's head is too large",
        ),
    }
}

fn compression() -> CompressionLayer<impl Predicate> {
    let worthwhile = SizeAbove::new(COMPRESSED_BYTES_MIN).and(NotForContentType::IMAGES);
    CompressionLayer::new()
        .no_br()
        .no_deflate()
        .no_zstd()
        .quality(CompressionLevel::Precise(COMPRESSION_LEVEL))
        .compress_when(worthwhile)
}

/// A refusal in plain words.
fn refuse(status: StatusCode, message: &str) -> Response {
    (status, format!("{message}\n")).into_response()
}

/// The default hook has printed where; this says that the server went on.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!("a request panicked and was answered 500");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}
