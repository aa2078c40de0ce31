//! Bad requests, large requests, slow requests, many requests: each is answered or closed, and the server lives on.

use super::support::{Bench, bench, settings, start};
use http::{Method, StatusCode};
use mayfly_server::ServerSettings;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn post(bench: &Bench, body: impl Into<bytes::Bytes>) -> super::support::Answer {
    bench.client.send(Method::POST, "/v1/statement", &[], body).await
}

#[tokio::test]
async fn bodies_that_are_no_statement_are_400() {
    let bench = bench().await;
    for body in [b"".as_slice(), b"  \n", b"SELECT \xff", b"SELECT '\0'"] {
        assert_eq!(post(&bench, body).await.status, StatusCode::BAD_REQUEST, "{body:?}");
    }
    assert_eq!(
        bench
            .client
            .post_with("rows 1", &[("x-trino-session", "novalue")])
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        bench.client.get("/v1/statement").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn long_statements_are_errors_and_longer_ones_413() {
    let bench = bench().await;
    let page = post(&bench, "x".repeat(1024 * 1024 + 1)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.json()["error"]["errorName"], "QUERY_TEXT_TOO_LARGE");
    assert!(page.json().get("nextUri").is_none());
    assert_eq!(
        post(&bench, "x".repeat(2 * 1024 * 1024 + 1)).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(post(&bench, "x".repeat(1024 * 1024)).await.json().get("error"), None);
}

#[tokio::test]
async fn long_heads_are_431() {
    let bench = bench().await;
    let long = "x".repeat(40 * 1024);
    let answer = bench
        .client
        .post_with("rows 1", &[("x-trino-client-info", &long)])
        .await;
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    for target in [
        format!("/v1/info?{long}"),
        format!("/v1/info?a={long}&b"),
        format!("/{long}"),
    ] {
        let status = bench.client.get(&target).await.status;
        assert!(matches!(status.as_u16(), 414 | 431), "{status}");
    }
    let fits = "x".repeat(20 * 1024);
    assert_eq!(
        bench
            .client
            .post_with("rows 1", &[("x-trino-client-info", &fits)])
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn answers_are_compressed_on_request() {
    let bench = bench().await;
    let uri = bench.client.submit("rows 2000").await;
    let plain = bench
        .client
        .send(Method::GET, &uri, &[("accept-encoding", "identity")], "")
        .await;
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(
        plain.header("content-length"),
        Some(plain.bytes.len().to_string().as_str())
    );
    let packed = bench
        .client
        .send(Method::GET, &uri, &[("accept-encoding", "gzip, deflate, br, zstd")], "")
        .await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(
        packed.bytes.len() * 3 < plain.bytes.len(),
        "{} of {}",
        packed.bytes.len(),
        plain.bytes.len()
    );
    assert_eq!(bench.client.get_unpacked(&uri).await, plain.bytes);
    let small = bench
        .client
        .send(Method::GET, "/v1/info", &[("accept-encoding", "gzip")], "")
        .await;
    assert_eq!(small.header("content-encoding"), None);
}

#[tokio::test]
async fn too_many_queries_are_refused_in_words() {
    let bench = start(ServerSettings {
        queries_max: 2,
        ..settings()
    })
    .await;
    for _ in 0..2 {
        let uri = bench.client.submit("query 1").await;
        assert!(bench.client.get(&uri).await.json().get("error").is_none());
    }
    let page = bench.client.post("query 1").await.json();
    assert_eq!(page["error"]["errorName"], "QUERY_QUEUE_FULL");
    assert!(page.get("nextUri").is_none());
}

#[tokio::test]
async fn registrations_that_nobody_polls_lock_nobody_out() {
    let bench = start(ServerSettings {
        queries_max: 20,
        registered_max: 5,
        ..settings()
    })
    .await;
    let mut own = Vec::new();
    for _ in 0..8 {
        own.push(bench.client.submit("query 1").await);
    }
    for (at, uri) in own.iter().enumerate() {
        let known = bench.client.get(uri).await.status == StatusCode::OK;
        assert_eq!(known, at >= 3, "registration {at}");
    }
    for user in 0..40 {
        let name = format!("u{user}");
        let headers = [("x-trino-user", name.as_str())];
        let answer = bench
            .client
            .send(Method::POST, "/v1/statement", &headers, "query 1")
            .await;
        assert!(answer.json().get("error").is_none(), "user {user}: {:?}", answer.json());
    }
    let uri = bench.client.submit("rows 1").await;
    assert!(bench.client.get(&uri).await.json().get("error").is_none());
}

#[tokio::test]
async fn texts_and_rows_that_are_kept_are_bounded_by_bytes() {
    let bench = start(ServerSettings {
        registered_bytes_max: 10_000,
        ended_bytes_max: 250_000,
        ..settings()
    })
    .await;
    let mut registered = Vec::new();
    for _ in 0..6 {
        registered.push(bench.client.submit(&"x".repeat(3_000)).await);
    }
    assert_eq!(bench.client.get(&registered[1]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.client.get(&registered[5]).await.status, StatusCode::OK);

    let mut read = Vec::new();
    for _ in 0..8 {
        let uri = bench.client.submit("wide 100000").await;
        assert_eq!(bench.client.get(&uri).await.status, StatusCode::OK);
        read.push(uri);
    }
    bench.client.submit("rows 1").await;
    assert_eq!(bench.client.get(&read[0]).await.status, StatusCode::GONE);
    assert_eq!(bench.client.get(&read[7]).await.status, StatusCode::OK);
}

/// Sends `bytes`, then waits for the server to hang up.
async fn hang_up_after(bench: &Bench, bytes: &[u8]) -> Duration {
    let mut stream = TcpStream::connect(bench.server.addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let start = Instant::now();
    let mut rest = Vec::new();
    // A reset is a way to hang up, too.
    let _ = stream.read_to_end(&mut rest).await;
    start.elapsed()
}

#[tokio::test]
async fn who_dribbles_is_closed_within_ten_seconds() {
    let bench = bench().await;
    let body =
        b"POST /v1/statement HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\nconnection: close\r\n\r\nSELECT";
    let (idle, head, body) = tokio::join!(
        hang_up_after(&bench, b""),
        hang_up_after(&bench, b"GET /v1/info HTTP/1.1\r\nx-slow: "),
        hang_up_after(&bench, body),
    );
    for (what, closed) in [("idle", idle), ("head", head), ("body", body)] {
        assert!((9..12).contains(&closed.as_secs()), "{what} {closed:?}");
    }
    assert_eq!(bench.client.get("/v1/info").await.status, StatusCode::OK);
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_their_turn() {
    let bench = start(ServerSettings {
        connections_max: 2,
        ..settings()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(TcpStream::connect(bench.server.addr).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting = tokio::time::timeout(Duration::from_millis(200), bench.client.get("/v1/info")).await;
    assert!(waiting.is_err(), "both connections are taken");
    held.clear();
    let answer = tokio::time::timeout(Duration::from_secs(5), bench.client.get("/v1/info")).await;
    assert_eq!(answer.expect("a connection is free").status, StatusCode::OK);
}

#[tokio::test]
async fn one_client_cannot_hold_all_connections() {
    let bench = start(ServerSettings {
        connections_max: 8,
        connections_per_client_max: 4,
        ..settings()
    })
    .await;
    // As many as it likes: its own oldest ones make room.
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(TcpStream::connect(bench.server.addr).await.unwrap());
    }
    let answer = tokio::time::timeout(Duration::from_secs(5), bench.client.get("/v1/info")).await;
    assert_eq!(answer.expect("there is room").status, StatusCode::OK);
    let closed = tokio::time::timeout(Duration::from_secs(5), held[0].read(&mut [0; 1])).await;
    assert_eq!(closed.expect("it was closed").unwrap_or(0), 0);
    let open = tokio::time::timeout(Duration::from_millis(100), held[19].read(&mut [0; 1])).await;
    assert!(open.is_err(), "the latest ones stay");
}

#[tokio::test]
async fn garbage_on_the_wire_is_survived() {
    let bench = bench().await;
    for garbage in [
        b"\x16\x03\x01\x02\x00".as_slice(),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\0\0\0 / x\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(bench.server.addr).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    for path in [
        "/v1/statement/queued/%ff/x/1",
        "/v1/statement/queued/a/b/c?maxWait=%",
        "/v1/query/%2e%2e",
    ] {
        assert!(bench.client.get(path).await.status.is_client_error(), "{path}");
    }
    assert_eq!(bench.client.get("/v1/info").await.status, StatusCode::OK);
}
