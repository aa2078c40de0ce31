//! The document around a page's rows: ids, URIs, columns, statistics, error, warnings.

use super::error::ErrorDocument;
use super::page::Page;
use super::shown::Shown;
use super::stats::{Counters, Stats};
use crate::client::encode;
use crate::engine::SessionChange;
use crate::query::{Cursor, Query, View};
use crate::sql::Change;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use mayfly_protocol::{EpochMs, QueryError, QueryId};
use serde::Serialize;
use serde_json::value::RawValue;

/// Number of the MAYFLY_COST warning; Mayfly's block starts at 0x4D41_0000.
const COST_WARNING: u32 = 0x4D41_0101;

/// What a page shows besides the state of its query.
pub enum Content<'a> {
    /// Neither columns nor rows are known.
    Nothing,
    Columns(&'a Shown),
    /// Rows as JSON, joined with commas; empty for a page without rows.
    Rows(&'a Shown, Vec<u8>),
    Update {
        update_type: &'a str,
        changes: &'a [Change],
    },
}

/// Where a page is, and what comes after it.
pub struct Frame<'a> {
    query: &'a Query,
    base: &'a str,
    /// Token of the next page; none on the last: that is how clients see the end.
    next: Option<u64>,
    /// Where the next page's rows begin, for a server that does not know; none at the first row.
    at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    id: &'a QueryId,
    info_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tail<'a> {
    stats: Stats,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDocument>,
    warnings: Vec<Warning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_type: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Warning {
    warning_code: WarningCode,
    message: String,
}

#[derive(Serialize)]
struct WarningCode {
    code: u32,
    name: &'static str,
}

impl<'a> Frame<'a> {
    pub fn new(query: &'a Query, base: &'a str, next: Option<u64>) -> Frame<'a> {
        Frame {
            query,
            base,
            next,
            at: None,
        }
    }

    /// The next page begins there.
    pub fn from(self, cursor: &Cursor) -> Frame<'a> {
        let at = cursor.to_text();
        Frame { at, ..self }
    }

    pub fn page(&self, view: &View, counters: &mut Counters, content: Content<'_>) -> Page {
        let stats = Stats::new(view, counters);
        let warnings = self.warnings(&stats);
        let none = RawValue::from_string("[]".to_owned()).expect("an empty list is JSON");
        let (columns, rows, update_type, changes) = match content {
            Content::Nothing => (None, Vec::new(), None, &[][..]),
            Content::Columns(shown) => (Some(&*shown.json), Vec::new(), None, &[][..]),
            Content::Rows(shown, rows) => (Some(&*shown.json), rows, None, &[][..]),
            Content::Update { update_type, changes } => (Some(&*none), Vec::new(), Some(update_type), changes),
        };
        let next_uri = self.next.map(|token| self.next_uri(view, token));
        let head = Head {
            id: &self.query.id,
            info_uri: info_uri(self.base, &self.query.id),
            next_uri,
            columns,
        };
        let tail = Tail {
            stats,
            error: view.error.as_ref().map(ErrorDocument::new),
            warnings,
            update_type,
        };
        compose(&head, rows, &tail, changes.iter().filter_map(header).collect())
    }

    /// The word in the path follows Trino's; nothing depends on it.
    fn next_uri(&self, view: &View, token: u64) -> String {
        let step = if view.planned_at.is_some() {
            "executing"
        } else {
            "queued"
        };
        let at = self.at.as_ref().map(|at| format!(".{at}")).unwrap_or_default();
        format!(
            "{}/v1/statement/{step}/{}/{}/{token}{at}",
            self.base, self.query.id, self.query.slug
        )
    }

    /// On the last page, for those who asked.
    fn warnings(&self, stats: &Stats) -> Vec<Warning> {
        let wanted = self.next.is_none() && self.query.cost_warning();
        let message = wanted.then(|| stats.mayfly.summary()).flatten();
        let code = WarningCode {
            code: COST_WARNING,
            name: "MAYFLY_COST",
        };
        message
            .map(|message| Warning {
                warning_code: code,
                message,
            })
            .into_iter()
            .collect()
    }
}

/// A statement that was refused before it became a query.
pub fn refusal(id: &QueryId, base: &str, error: QueryError, now: EpochMs) -> Page {
    let view = View::refused(error, now);
    let head = Head {
        id,
        info_uri: info_uri(base, id),
        next_uri: None,
        columns: None,
    };
    let stats = Stats::new(&view, &mut Counters::default());
    let error = view.error.as_ref().map(ErrorDocument::new);
    compose(
        &head,
        Vec::new(),
        &Tail {
            stats,
            error,
            warnings: Vec::new(),
            update_type: None,
        },
        Vec::new(),
    )
}

fn info_uri(base: &str, id: &QueryId) -> String {
    format!("{base}/v1/query/{id}")
}

/// `{head…,"data":[rows],tail…}`: two objects made one, with the rows between them.
fn compose(head: &Head<'_>, rows: Vec<u8>, tail: &Tail<'_>, headers: Vec<(HeaderName, HeaderValue)>) -> Page {
    let mut head = json(head);
    head.pop();
    head.extend(if rows.is_empty() {
        b",".as_slice()
    } else {
        b",\"data\":["
    });
    let mut tail = json(tail);
    if rows.is_empty() {
        tail.remove(0);
    } else {
        tail.splice(..1, *b"],");
    }
    Page {
        headers,
        head: Bytes::from(head),
        rows: Bytes::from(rows),
        tail: Bytes::from(tail),
    }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings, numbers and lists of them always serialize")
}

/// What the client shall remember, as a response header. A value that no header can carry is dropped: the client keeps its old one.
fn header(change: &Change) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = match change {
        Change::Session(SessionChange::SetCatalog(catalog)) => ("x-trino-set-catalog", catalog.clone()),
        Change::Session(SessionChange::SetSchema(schema)) => ("x-trino-set-schema", schema.clone()),
        Change::Session(SessionChange::SetProperty { key, value }) => {
            ("x-trino-set-session", format!("{key}={}", encode(value)))
        }
        Change::Session(SessionChange::ResetProperty { key }) => ("x-trino-clear-session", key.clone()),
        Change::Prepared { name, sql } => ("x-trino-added-prepare", format!("{}={}", encode(name), encode(sql))),
        Change::Deallocated { name } => ("x-trino-deallocated-prepare", encode(name)),
    };
    Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
}
