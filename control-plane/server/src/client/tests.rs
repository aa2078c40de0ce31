//! Request headers: repeated, joined, empty, encoded, broken.

use super::{Client, decode, encode};
use crate::types::Precision;
use http::{HeaderMap, HeaderName, HeaderValue};

fn client(headers: &[(&'static str, &'static str)]) -> Result<Client, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    Client::from_headers(&map).map_err(|error| error.to_string())
}

#[test]
fn nothing_said_is_a_client_too() {
    let client = client(&[("x-trino-session", ""), ("x-trino-catalog", " ")]).unwrap();
    assert_eq!((client.user.as_str(), client.catalog), ("anonymous", None));
    assert!(client.session.is_empty());
    assert_eq!(client.precision, Precision::Millis);
}

#[test]
fn lists_may_be_repeated_and_joined() {
    let client = client(&[
        ("x-trino-session", "a=1, b=x%2Cy"),
        ("x-trino-session", "c=two+words"),
        ("x-trino-session", ",,"),
        ("x-trino-session", "d="),
        ("x-trino-client-capabilities", "PATH,PARAMETRIC_DATETIME"),
        ("x-trino-time-zone", "Europe/Berlin"),
    ]);
    let client = client.unwrap();
    let session: Vec<_> = client
        .session
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(session, ["a=1", "b=x,y", "c=two words", "d="]);
    assert_eq!(client.precision, Precision::Exact);
    assert_eq!(client.time_zone.as_deref(), Some("Europe/Berlin"));
}

#[test]
fn tags_are_taken_as_they_are() {
    let client = client(&[("x-trino-client-tags", "foo %20,bar=test")]).unwrap();
    assert_eq!(client.tags, ["foo %20", "bar=test"]);
}

#[test]
fn prepared_statements_are_decoded_on_both_sides() {
    let client = client(&[("x-trino-prepared-statement", "my+q=SELECT+%27a%2Cb%27+%3D+%3F")]).unwrap();
    assert_eq!(client.prepared["my q"], "SELECT 'a,b' = ?");
}

#[test]
fn broken_headers_are_named() {
    assert_eq!(
        client(&[("x-trino-session", "novalue")]).unwrap_err(),
        "header x-trino-session has an entry without '='"
    );
    for value in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
        assert_eq!(
            client(&[("x-trino-session", value)]).unwrap_err(),
            "header x-trino-session is not url-encoded UTF-8"
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut headers = HeaderMap::new();
    headers.insert("x-trino-user", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    assert_eq!(
        Client::from_headers(&headers).unwrap_err().to_string(),
        "header x-trino-user is not UTF-8"
    );
}

#[test]
fn what_is_encoded_decodes() {
    for text in ["", "plain", "a=b&c,d e+f%", "naïve ✓", "'quoted'\n"] {
        assert_eq!(decode(&encode(text)).as_deref(), Some(text));
    }
}
