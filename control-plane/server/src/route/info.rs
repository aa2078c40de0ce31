//! What the server says about itself.

use super::App;
use crate::settings::LocalInfo;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

/// Tools compare this number to see what a server can do; it is the Trino release whose protocol we speak.
const TRINO_VERSION: &str = "480";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    node_version: NodeVersion,
    environment: &'static str,
    coordinator: bool,
    starting: bool,
    uptime: String,
}

#[derive(Serialize)]
struct NodeVersion {
    version: &'static str,
}

pub async fn info(State(app): State<App>) -> Json<Info> {
    Json(Info {
        node_version: NodeVersion { version: TRINO_VERSION },
        environment: "mayfly",
        coordinator: true,
        starting: false,
        uptime: format!("{:.2}m", app.started.elapsed().as_secs_f64() / 60.0),
    })
}

/// Trino's words: a balancer sends queries to servers that say ACTIVE.
pub async fn state(State(app): State<App>) -> Json<&'static str> {
    Json(match app.health.is_ready(&*app.engine).await {
        true => "ACTIVE",
        false => "INACTIVE",
    })
}

#[derive(Serialize)]
pub struct MayflyInfo {
    version: &'static str,
    price_book: String,
    /// Null where there is no local cloud.
    local: Option<LocalInfo>,
}

pub async fn local(State(app): State<App>) -> Json<MayflyInfo> {
    Json(MayflyInfo {
        version: env!("CARGO_PKG_VERSION"),
        price_book: app.settings.price_book.clone(),
        local: app.settings.local.clone(),
    })
}

pub async fn home() -> &'static str {
    concat!(
        "Mayfly ",
        env!("CARGO_PKG_VERSION"),
        "\n\n",
        "POST /v1/statement       SQL, as Trino's clients send it\n",
        "GET  /v1/query           queries of this server\n",
        "GET  /v1/query/{id}      one query: state, plan, stages, bill\n",
        "GET  /v1/info            version\n",
        "GET  /v1/info/state      ACTIVE; INACTIVE while S3 cannot be reached\n",
    )
}
