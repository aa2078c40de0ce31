//! Which address a client is told, by what it sent and whether a proxy is trusted.

use super::{base, foreign_name};
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

/// Whether a server that is also called `sql.corp` answers.
fn answers(trusts_forwarded: bool, uri: &str, headers: &[(&'static str, &'static str)]) -> bool {
    let settings = ServerSettings {
        trusts_forwarded,
        names: vec!["sql.corp".to_owned()],
        ..ServerSettings::new("127.0.0.1:8080".parse().unwrap())
    };
    let pairs = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let mut all = HeaderMap::new();
    for (name, value) in pairs {
        all.append(name, value);
    }
    foreign_name(&all, &uri.parse().unwrap(), &settings).is_none()
}

#[test]
fn names_that_are_ours_alone_are_answered() {
    for host in [
        "127.0.0.1:8080",
        "10.1.2.3",
        "[::1]:8080",
        "localhost",
        "LOCALHOST:8080",
        "mayfly.localhost",
        "localhost.:80",
        "sql.corp:8080",
        "SQL.corp",
    ] {
        assert!(answers(false, "/", &[("host", host)]), "{host}");
    }
    assert!(answers(false, "/", &[]));
    assert!(answers(false, "http://127.0.0.1/", &[("host", "localhost")]));
}

#[test]
fn names_that_others_can_own_are_not() {
    for host in [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "sql.corp.evil.example",
        "evilsql.corp",
        "user@localhost",
        "localhost/x",
        "[evil.example]",
        "",
    ] {
        assert!(!answers(false, "/", &[("host", host)]), "{host}");
    }
    assert!(!answers(false, "/", &[("host", "localhost"), ("host", "evil.example")]));
    assert!(!answers(false, "http://evil.example/v1/info", &[("host", "localhost")]));
}

#[test]
fn behind_a_proxy_the_name_that_it_was_called_counts() {
    let backend = ("host", "backend:80");
    assert!(answers(true, "/", &[backend, ("x-forwarded-host", "sql.corp, inner")]));
    assert!(!answers(true, "/", &[backend, ("x-forwarded-host", "evil.example")]));
    assert!(!answers(false, "/", &[backend, ("x-forwarded-host", "sql.corp")]));
    assert!(!answers(true, "/", &[backend]));
}
