//! What a client says about itself in request headers: who it is, its session, what it understands.

mod encoding;

pub use encoding::{decode, encode};

use crate::types::Precision;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whom a request without a user counts for.
const ANONYMOUS: &str = "anonymous";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    pub user: String,
    pub source: Option<String>,
    pub catalog: Option<String>,
    pub schema: Option<String>,
    pub session: BTreeMap<String, String>,
    /// IANA name or offset.
    pub time_zone: Option<String>,
    /// Statements that the client keeps prepared, by name.
    pub prepared: BTreeMap<String, String>,
    pub tags: Vec<String>,
    pub precision: Precision,
}

/// A header that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("header {name} {problem}")]
pub struct HeaderError {
    pub name: &'static str,
    pub problem: &'static str,
}

impl Client {
    pub fn from_headers(headers: &HeaderMap) -> Result<Client, HeaderError> {
        let capabilities = list(headers, "x-trino-client-capabilities")?;
        let parametric = capabilities.iter().any(|name| name == "PARAMETRIC_DATETIME");
        Ok(Client {
            user: one(headers, "x-trino-user")?.unwrap_or_else(|| ANONYMOUS.to_owned()),
            source: one(headers, "x-trino-source")?,
            catalog: one(headers, "x-trino-catalog")?,
            schema: one(headers, "x-trino-schema")?,
            session: pairs(headers, "x-trino-session")?,
            time_zone: one(headers, "x-trino-time-zone")?,
            prepared: pairs(headers, "x-trino-prepared-statement")?,
            tags: list(headers, "x-trino-client-tags")?,
            precision: if parametric {
                Precision::Exact
            } else {
                Precision::Millis
            },
        })
    }
}

/// The first value that is not empty.
fn one(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, HeaderError> {
    let values = headers.get_all(name).iter().map(|value| text(name, value));
    let mut trimmed = values.map(|value| value.map(|value| value.trim().to_owned()));
    trimmed
        .find(|value| value.as_ref().map_or(true, |value| !value.is_empty()))
        .transpose()
}

/// All entries: a header may be repeated, joined with commas, or empty.
fn list(headers: &HeaderMap, name: &'static str) -> Result<Vec<String>, HeaderError> {
    let mut entries = Vec::new();
    for value in headers.get_all(name) {
        let parts = text(name, value)?.split(',').map(str::trim);
        entries.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
    }
    Ok(entries)
}

/// `k=v` entries, both sides url-encoded.
fn pairs(headers: &HeaderMap, name: &'static str) -> Result<BTreeMap<String, String>, HeaderError> {
    let pair = |entry: String| {
        let (key, value) = entry.split_once('=').ok_or(HeaderError {
            name,
            problem: "has an entry without '='",
        })?;
        Ok((decoded(name, key.trim())?, decoded(name, value.trim())?))
    };
    list(headers, name)?.into_iter().map(pair).collect()
}

fn decoded(name: &'static str, text: &str) -> Result<String, HeaderError> {
    decode(text).ok_or(HeaderError {
        name,
        problem: "is not url-encoded UTF-8",
    })
}

fn text<'a>(name: &'static str, value: &'a HeaderValue) -> Result<&'a str, HeaderError> {
    std::str::from_utf8(value.as_bytes()).map_err(|_| HeaderError {
        name,
        problem: "is not UTF-8",
    })
}

#[cfg(test)]
mod tests;
