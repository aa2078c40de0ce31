//! The native view of queries: state, plan, stages, bill. Leaves out rows: they go to who knows the query's secret.

use super::{App, refuse};
use crate::clock;
use crate::engine::{Journaled, StageProgress};
use crate::query::{Query, View};
use crate::result::ErrorDocument;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mayfly_cost::Bill;
use mayfly_protocol::{EpochMs, ErrorCode, Meter, QueryError, QueryId};
use serde::Serialize;

/// Characters of a statement in the list of all; [`show`] has the rest.
const BRIEF_CHARS_MAX: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QueryDocument<'a> {
    query_id: &'a QueryId,
    state: &'static str,
    query: &'a str,
    session: Session<'a>,
    created_at_ms: EpochMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    stages: Vec<StageProgress>,
    coordinator: Meter,
    journal: Journaled,
    meter: Meter,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill: Option<Bill>,
    /// Attempts are out, or what they left is yet to be looked for: what that costs is added.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    so_far: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session<'a> {
    user: &'a str,
    source: Option<&'a str>,
    catalog: Option<&'a str>,
    schema: Option<&'a str>,
    client_tags: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Brief {
    query_id: QueryId,
    state: &'static str,
    query: String,
    user: String,
    created_at_ms: EpochMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    so_far: bool,
}

pub async fn list(State(app): State<App>) -> Response {
    let briefs: Vec<Brief> = app
        .registry
        .list()
        .iter()
        .map(|query| brief(query, query.view()))
        .collect();
    Json(briefs).into_response()
}

pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Response {
    match find(&app, &id) {
        Some(query) => Json(document(&query, query.view())).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "no such query"),
    }
}

/// 204 also for a query that has ended or is not known: nothing is left to kill.
pub async fn kill(State(app): State<App>, Path(id): Path<String>) -> StatusCode {
    if let Some(query) = find(&app, &id) {
        query.stop(QueryError::new(ErrorCode::UserCanceled, "query was killed"));
    }
    StatusCode::NO_CONTENT
}

fn find(app: &App, id: &str) -> Option<std::sync::Arc<Query>> {
    app.registry.get(&id.parse().ok()?)
}

fn brief(query: &Query, view: View) -> Brief {
    Brief {
        query_id: query.id.clone(),
        state: view.phase.name(),
        query: query.sql.chars().take(BRIEF_CHARS_MAX).collect(),
        user: query.client.user.clone(),
        created_at_ms: clock::named(query.created_at),
        error_name: view.error.map(|error| error.code.name()),
        so_far: view.so_far,
        cost_usd: view.bill.map(|bill| bill.total.as_dollars_f64()),
    }
}

fn document(query: &Query, view: View) -> QueryDocument<'_> {
    let client = &query.client;
    QueryDocument {
        query_id: &query.id,
        state: view.phase.name(),
        query: &query.sql,
        session: Session {
            user: &client.user,
            source: client.source.as_deref(),
            catalog: client.catalog.as_deref(),
            schema: client.schema.as_deref(),
            client_tags: &client.tags,
        },
        created_at_ms: clock::named(query.created_at),
        meter: view.meter(),
        plan: view.plan,
        stages: view.stages,
        coordinator: view.coordinator,
        journal: view.journal,
        bill: view.bill,
        so_far: view.so_far,
        error: view.error.as_ref().map(ErrorDocument::new),
    }
}
