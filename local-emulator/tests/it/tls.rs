//! TLS and HTTP/2, as clients in a cloud speak them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use local_emulator::TlsSettings;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::common::{World, function, start_with};

async fn world() -> World {
    start_with(|settings| {
        settings.functions = vec![function("f")];
        settings.functions[0].timeout = Duration::from_secs(30);
        settings.environment_max = 400;
        settings.tls = Some(TlsSettings {
            certificate: settings.data.with_file_name("certificate.pem"),
        });
    })
    .await
}

/// A handshake with somebody who trusts these certificates.
async fn shake(url: &str, roots: RootCertStore) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(url.strip_prefix("https://").unwrap()).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// A connection over HTTP/2 that trusts the certificate.
async fn connect(url: &str, certificate: &Path) -> SendRequest<Full<Bytes>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let stream = shake(url, roots).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn invoke(mut connection: SendRequest<Full<Bytes>>, url: String, event: &'static str) -> (u16, String) {
    let signed =
        "AWS4-HMAC-SHA256 Credential=emulator/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
    let request = Request::post(format!("{url}/2015-03-31/functions/f/invocations")).header("authorization", signed);
    let request = request.body(Full::new(Bytes::from_static(event.as_bytes()))).unwrap();
    connection.ready().await.unwrap();
    let answer = connection.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

/// Three connections of a hundred streams each: what a driver with 300 tasks in flight looks like.
#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_invocations_are_in_flight_at_once() {
    let world = world().await;
    let (url, certificate) = (
        world.emulator.endpoints().lambda,
        world.folder.path().join("certificate.pem"),
    );
    let mut all = Vec::new();
    for _ in 0..3 {
        let connection = connect(&url, &certificate).await;
        // Each sleeps until the last has begun, starts of processes included.
        let invocation = |_| tokio::spawn(invoke(connection.clone(), url.clone(), r#"{"sleep_ms": 15000}"#));
        all.extend((0..100).map(invocation));
    }
    for one in all {
        let (status, body) = one.await.unwrap();
        assert!(status == 200 && body.contains("request_id"), "{status} {body}");
    }
    let counts = world.emulator.counts().lambda;
    assert_eq!((counts.functions["f"].invocations, counts.concurrency_peak), (300, 300));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_carries_128_streams_and_no_more() {
    let world = world().await;
    let (url, certificate) = (
        world.emulator.endpoints().lambda,
        world.folder.path().join("certificate.pem"),
    );
    let connection = connect(&url, &certificate).await;
    let invocation = |_| tokio::spawn(invoke(connection.clone(), url.clone(), r#"{"sleep_ms": 5000}"#));
    for one in (0..200).map(invocation).collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap().0, 200);
    }
    assert_eq!(world.emulator.counts().lambda.concurrency_peak, 128);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_and_strangers_get_nowhere() {
    let world = world().await;
    let url = world.emulator.endpoints().s3;
    let mut stream = TcpStream::connect(url.strip_prefix("https://").unwrap()).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    assert!(closed.is_ok() && !answer.starts_with(b"HTTP/"), "{answer:?}");
    let distrust = shake(&url, RootCertStore::empty()).await.unwrap_err();
    assert!(distrust.to_string().contains("certificate"), "{distrust}");
}
