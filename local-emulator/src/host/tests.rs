//! By which names a request may call the local cloud.

use super::*;

fn ours(hosts: &[&str], uri: &str) -> bool {
    let mut headers = HeaderMap::new();
    for host in hosts {
        headers.append(header::HOST, host.parse().unwrap());
    }
    is_ours(&headers, &uri.parse().unwrap())
}

#[test]
fn addresses_and_localhost_are_ours() {
    for host in [
        "127.0.0.1:9000",
        "127.0.0.1",
        "[::1]:80",
        "localhost:1",
        "LOCALHOST",
        "b.localhost:80",
        "10.0.0.7",
    ] {
        assert!(ours(&[host], "/"), "{host}");
    }
    assert!(ours(&[], "/"));
    assert!(ours(&["localhost"], "http://127.0.0.1:1/x"));
}

#[test]
fn names_that_others_can_own_are_not() {
    for host in [
        "evil.example",
        "evil.example:9000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example.",
        "user@localhost",
        "evillocalhost",
        "",
    ] {
        assert!(!ours(&[host], "/"), "{host}");
    }
    assert!(!ours(&["localhost", "evil.example"], "/"));
    assert!(!ours(&["localhost"], "http://evil.example/"));
}
