//! Figures of the emulator on this machine: small GETs, 16 MiB ranges, PUTs, cold and warm invocations. One client process shares the
//! machine with the emulator, as a laptop's user would have it.
//!
//! `cargo run --release -p local-emulator --example throughput`

#![expect(
    clippy::disallowed_methods,
    reason = "a client of its own: the emulator shares nothing with `store`"
)]

use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::StreamExt;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use local_emulator::{Emulator, FunctionSettings, Settings};

const SMALL_GETS: usize = 30_000;
const LARGE_GETS: usize = 200;
const PUTS: usize = 3_000;
const INVOCATIONS: usize = 500;
const PARALLEL: usize = 32;
const RANGE_BYTES: usize = 16 << 20;

type Http = Client<HttpConnector, Empty<Bytes>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let program = std::env::current_exe()?.with_file_name("test-function");
    let mut settings = Settings::new(folder.path().join("data"), folder.path().join("scratch"));
    settings.functions = vec![FunctionSettings {
        memory_mb: 256,
        timeout: Duration::from_secs(5),
        ..FunctionSettings::new("f", program)
    }];
    let emulator = Emulator::start(settings).await?;
    s3(&emulator).await?;
    lambda(&emulator).await?;
    emulator.shutdown().await;
    Ok(())
}

async fn s3(emulator: &Emulator) -> Result<(), Box<dyn std::error::Error>> {
    let known = local_emulator::Credentials::default();
    let credentials = Credentials::new(known.access_key_id, known.secret_access_key, None, None, "bench");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .endpoint_url(emulator.endpoints().s3)
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .credentials_provider(credentials)
        .force_path_style(true);
    let s3 = aws_sdk_s3::Client::from_conf(config.build());
    s3.create_bucket().bucket("bench").send().await?;
    let large = ByteStream::from(vec![7u8; 4 * RANGE_BYTES]);
    s3.put_object().bucket("bench").key("large").body(large).send().await?;
    let small = ByteStream::from(vec![7u8; 4096]);
    s3.put_object().bucket("bench").key("small").body(small).send().await?;

    // Presigned, so that the client's signing is not part of the figure; the emulator still verifies each.
    let presign = PresigningConfig::expires_in(Duration::from_secs(600))?;
    let small = s3
        .get_object()
        .bucket("bench")
        .key("small")
        .presigned(presign.clone())
        .await?;
    let large = s3.get_object().bucket("bench").key("large").presigned(presign).await?;
    let http: Http = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let elapsed = gets(&http, small.uri(), SMALL_GETS, 4096, |_| None).await;
    println!("small GETs: {:.0}/s", SMALL_GETS as f64 / elapsed.as_secs_f64());
    let range = |n: usize| {
        Some(format!(
            "bytes={}-{}",
            n % 4 * RANGE_BYTES,
            (n % 4 + 1) * RANGE_BYTES - 1
        ))
    };
    let elapsed = gets(&http, large.uri(), LARGE_GETS, RANGE_BYTES, range).await;
    let gib = (LARGE_GETS * RANGE_BYTES) as f64 / (1u64 << 30) as f64;
    println!("16 MiB ranges: {:.2} GiB/s", gib / elapsed.as_secs_f64());

    let since = Instant::now();
    let puts = futures::stream::iter(0..PUTS).map(|n| {
        let put = s3
            .put_object()
            .bucket("bench")
            .key(format!("put/{n}"))
            .body(ByteStream::from(vec![7u8; 4096]));
        async move { put.send().await.map(|_| ()) }
    });
    let mut puts = puts.buffer_unordered(PARALLEL);
    while let Some(put) = puts.next().await {
        put?;
    }
    println!(
        "small PUTs through the SDK: {:.0}/s",
        PUTS as f64 / since.elapsed().as_secs_f64()
    );
    Ok(())
}

async fn gets(http: &Http, uri: &str, count: usize, size: usize, range: impl Fn(usize) -> Option<String>) -> Duration {
    let since = Instant::now();
    let requests = futures::stream::iter(0..count).map(|n| {
        let mut request = Request::get(uri);
        if let Some(range) = range(n) {
            request = request.header("range", range);
        }
        let answer = http.request(request.body(Empty::new()).expect("a presigned address is valid"));
        async move {
            let mut body = answer.await.expect("the emulator answers").into_body();
            let mut received = 0;
            while let Some(frame) = body.frame().await {
                received += frame.expect("the body is whole").data_ref().map_or(0, Bytes::len);
            }
            assert_eq!(received, size);
        }
    });
    requests
        .buffer_unordered(PARALLEL.min(count / 25))
        .collect::<Vec<()>>()
        .await;
    since.elapsed()
}

async fn lambda(emulator: &Emulator) -> Result<(), Box<dyn std::error::Error>> {
    let known = local_emulator::Credentials::default();
    let credentials =
        aws_credential_types::Credentials::new(known.access_key_id, known.secret_access_key, None, None, "bench");
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version_latest()
        .endpoint_url(emulator.endpoints().lambda)
        .region(aws_sdk_lambda::config::Region::new("us-east-1"))
        .credentials_provider(credentials);
    let lambda = aws_sdk_lambda::Client::from_conf(config.build());
    let since = Instant::now();
    lambda.invoke().function_name("f").send().await?;
    println!("cold invocation: {:.2} ms", since.elapsed().as_secs_f64() * 1e3);
    let since = Instant::now();
    for _ in 0..INVOCATIONS {
        lambda.invoke().function_name("f").send().await?;
    }
    println!(
        "warm invocation: {:.2} ms",
        since.elapsed().as_secs_f64() * 1e3 / INVOCATIONS as f64
    );
    Ok(())
}
