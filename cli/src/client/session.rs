//! What a session is: a few names and properties. The client holds them and repeats them with every statement; the server answers
//! `USE` and `SET SESSION` by telling the client what to repeat from now on.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use url::form_urlencoded;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub user: String,
    pub source: String,
    pub catalog: Option<String>,
    pub schema: Option<String>,
    pub properties: BTreeMap<String, String>,
}

impl Session {
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        put(&mut headers, "x-trino-user", &self.user);
        put(&mut headers, "x-trino-source", &self.source);
        self.catalog
            .iter()
            .for_each(|name| put(&mut headers, "x-trino-catalog", name));
        self.schema
            .iter()
            .for_each(|name| put(&mut headers, "x-trino-schema", name));
        for (key, value) in &self.properties {
            put(&mut headers, "x-trino-session", &format!("{key}={}", encode(value)));
        }
        headers
    }

    /// Takes over what the server's answer changes.
    pub fn apply(&mut self, headers: &HeaderMap) {
        each(headers, "x-trino-set-catalog", |name| {
            self.catalog = Some(name.to_owned())
        });
        each(headers, "x-trino-set-schema", |name| {
            self.schema = Some(name.to_owned())
        });
        each(headers, "x-trino-clear-session", |key| {
            self.properties.remove(key.trim());
        });
        each(headers, "x-trino-set-session", |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.properties.insert(key.trim().to_owned(), decode(value.trim()));
        });
    }
}

/// What no header can carry (a control character in a name) is left out; the server then says what it misses.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.append(HeaderName::from_static(name), value);
    }
}

fn each(headers: &HeaderMap, name: &str, mut take: impl FnMut(&str)) {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok()).for_each(&mut take);
}

fn encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

fn decode(value: &str) -> String {
    let pair = format!("v={value}");
    let decoded = form_urlencoded::parse(pair.as_bytes()).next();
    decoded.map(|(_, value)| value.into_owned()).unwrap_or_default()
}
