//! Doors: what a server tells to whoever asks.

use crate::support;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::elsewhere;
use mayfly_end_to_end::raw;
use mayfly_end_to_end::server::{Server, binary};
use std::net::Ipv4Addr;
use std::process::Command;

/// Any secret: the emulator's Lambda looks at the name alone.
const SIGNED: &str =
    "Authorization: AWS4-HMAC-SHA256 Credential=emulator/20261201/us-east-1/lambda/aws4_request, Signature=0";

async fn ask(url: &str, line: &str, headers: &[&str]) -> String {
    let answer = raw::ask(url, Ipv4Addr::LOCALHOST.into(), line, headers, "").await;
    answer.expect("it answers")
}

/// A server whose S3 and SQS are another program's, and whose Lambda is its own.
fn with_s3_elsewhere(cloud: &Server) -> Server {
    let mut command = Command::new(binary());
    command
        .args(["serve", "--local", "--port", "0", "--s3-endpoint", &cloud.s3])
        .args(["--sqs-endpoint", &cloud.sqs])
        .env("AWS_ACCESS_KEY_ID", "emulator")
        .env("AWS_SECRET_ACCESS_KEY", "emulator-secret");
    Server::of(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_an_s3_elsewhere_are_told_to_nobody() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = support::cloud(&[]).await;
    let server = with_s3_elsewhere(&cloud.server);
    let client = support::forced(Client::new(&server.url, support::SCHEMA), 1);
    // Its executors have the keys, or they could not read.
    let answer = client.query("SELECT count(*) FROM nation WHERE n_name > 'B'").await;
    let query = answer.expect("answered").query_id;
    for path in [
        "/v1/mayfly/info",
        "/v1/info",
        "/",
        "/v1/query",
        &format!("/v1/query/{query}"),
    ] {
        let told = ask(&server.url, &format!("GET {path}"), &["Host: localhost"]).await;
        assert!(told.starts_with("HTTP/1.1 200"), "{path}: {told}");
        assert!(!told.contains("emulator-secret"), "{path}: {told}");
    }
    for page in [
        "/2015-03-31/functions/",
        "/2015-03-31/functions/mayfly-executor-1769",
        "/2015-03-31/functions/mayfly-executor-1769/configuration",
        "/2015-03-31/functions/mayfly-executor-10240/configuration",
        "/_emulator/environments",
        "/_emulator/counts",
    ] {
        let told = ask(&server.lambda, &format!("GET {page}"), &["Host: localhost", SIGNED]).await;
        assert!(told.starts_with("HTTP/1.1 200"), "{page}: {told}");
        assert!(!told.contains("emulator-secret"), "{page}: {told}");
    }
    let configured = ask(
        &server.lambda,
        "GET /2015-03-31/functions/mayfly-executor-1769/configuration",
        &["Host: localhost", SIGNED],
    );
    let configured = configured.await;
    assert!(
        configured.contains("\"MAYFLY_CONTROL_BUCKET\":\"mayfly\""),
        "{configured}"
    );
    // The emulator's own keys open what everybody may open anyway.
    let told = ask(&cloud.server.url, "GET /v1/mayfly/info", &["Host: localhost"]).await;
    assert!(told.contains("emulator-secret"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn load_has_keys_of_its_own_for_an_s3_elsewhere() {
    if elsewhere::is_chosen() {
        return;
    }
    let cloud = Server::start(&[]);
    let server = with_s3_elsewhere(&cloud);
    let load = |keys: &[(&str, &str)]| {
        let mut command = Command::new(binary());
        command.args([
            "load",
            "tpch",
            "--scale",
            "0.01",
            "--progress",
            "never",
            "--server",
            &server.url,
        ]);
        command
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY");
        command.envs(keys.iter().copied()).output().expect("it runs")
    };
    let without = load(&[]);
    let text = String::from_utf8_lossy(&without.stderr).into_owned();
    assert_eq!(without.status.code(), Some(2), "{text}");
    assert!(text.contains("AWS_SECRET_ACCESS_KEY"), "{text}");
    let with = load(&[
        ("AWS_ACCESS_KEY_ID", "emulator"),
        ("AWS_SECRET_ACCESS_KEY", "emulator-secret"),
    ]);
    assert!(with.status.success(), "{}", String::from_utf8_lossy(&with.stderr));
}

/// A page of another site has that site's name resolved to 127.0.0.1: it may then ask, and its browser shows it the answer.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_answered_who_calls_us_by_a_foreign_name() {
    let server = Server::start(&["--name", "sql.corp"]);
    let pages = [
        (&server.url, "GET /v1/mayfly/info"),
        (&server.url, "GET /v1/query"),
        (&server.url, "POST /v1/statement"),
        (&server.url, "DELETE /v1/query/20261201_000000_00000_aaaaa"),
    ];
    let emulated = [
        (&server.s3, "GET /mayfly/catalog/lake/default/t.json"),
        (
            &server.lambda,
            "POST /2015-03-31/functions/mayfly-executor-1769/invocations",
        ),
        (&server.lambda, "GET /_emulator/faults"),
        (&server.lambda, "PUT /_emulator/faults"),
        (&server.sqs, "POST /"),
    ];
    let emulated = emulated.into_iter().filter(|_| !elsewhere::is_chosen());
    for (url, line) in pages.into_iter().chain(emulated) {
        for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example"] {
            let host = format!("Host: {host}");
            let origin = "Origin: http://evil.example";
            let answer = ask(url, line, &[&host, origin, SIGNED]).await;
            assert!(answer.starts_with("HTTP/1.1 421"), "{line} {host}: {answer}");
        }
        for host in ["127.0.0.1", "localhost:80"] {
            let host = format!("Host: {host}");
            let answer = ask(url, line, &[&host, SIGNED]).await;
            assert!(!answer.starts_with("HTTP/1.1 421"), "{line} {host}: {answer}");
        }
    }
    let named = ask(&server.url, "GET /v1/info", &["Host: sql.corp:8080"]).await;
    assert!(named.starts_with("HTTP/1.1 200"), "{named}");
    let named = ask(&server.url, "GET /v1/info", &["Host: other.corp"]).await;
    assert!(named.contains("'other.corp'") && named.contains("--name"), "{named}");
}
