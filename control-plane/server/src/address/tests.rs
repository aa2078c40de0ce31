//! Which address a client is told, by what it sent and whether a proxy is trusted.

use super::base;
use crate::settings::ServerSettings;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

fn check(trusts_forwarded: bool, headers: &[(&'static str, &'static str)], expected: &str) {
    let bound = "127.0.0.1:8080".parse().unwrap();
    let settings = ServerSettings {
        trusts_forwarded,
        ..ServerSettings::new(bound)
    };
    let pairs = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let headers: HeaderMap = pairs.collect();
    assert_eq!(
        base(&headers, &Uri::from_static("/v1/statement"), &settings, bound),
        expected,
        "{headers:?}"
    );
}

#[test]
fn the_host_header_counts() {
    check(false, &[("host", "localhost:8080")], "http://localhost:8080");
    check(false, &[("host", "[::1]:8080")], "http://[::1]:8080");
}

#[test]
fn without_a_usable_host_it_is_where_we_listen() {
    check(false, &[], "http://127.0.0.1:8080");
    check(false, &[("host", "user@evil/x")], "http://127.0.0.1:8080");
    check(false, &[("host", "")], "http://127.0.0.1:8080");
}

#[test]
fn forwarded_headers_count_only_when_trusted() {
    let headers = [
        ("host", "10.0.0.1:80"),
        ("x-forwarded-host", "sql.example.com"),
        ("x-forwarded-proto", "https"),
    ];
    check(false, &headers, "http://10.0.0.1:80");
    check(true, &headers, "https://sql.example.com");
}

#[test]
fn a_forwarded_port_is_shown_unless_it_is_the_usual_one() {
    let at = |port| {
        [
            ("x-forwarded-host", "h"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", port),
        ]
    };
    check(true, &at("443"), "https://h");
    check(true, &at("8443, 80"), "https://h:8443");
    check(true, &at("no"), "https://h");
    check(
        true,
        &[("x-forwarded-host", "h:9"), ("x-forwarded-port", "8443")],
        "http://h:9",
    );
    check(true, &[("host", "only"), ("x-forwarded-port", "81")], "http://only:81");
}
