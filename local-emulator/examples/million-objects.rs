//! A million objects: how long they take to write and to list by prefix, and how much memory the emulator then holds.
//!
//! `cargo run --release -p local-emulator --example million-objects`

#![expect(
    clippy::disallowed_methods,
    reason = "a client of its own: the emulator shares nothing with `store`"
)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use futures::StreamExt;

const PREFIXES: usize = 1_000;
const KEYS_PER_PREFIX: usize = 1_000;
const PARALLEL: usize = 64;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let examples = std::env::current_exe()?;
    let program = examples
        .ancestors()
        .nth(2)
        .ok_or("an example lies in a folder of the build")?
        .join("local-emulator");
    let mut emulator = Command::new(program)
        .arg("--data")
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(emulator.stdout.take().ok_or("stdout is piped")?).lines();
    let mut lines = lines.map_while(Result::ok);
    let url = lines.find_map(|line| line.strip_prefix("s3 endpoint ").map(str::to_owned));
    let run = run(&url.ok_or("the emulator tells where it is")?).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", emulator.id()))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!(
        "peak resident memory of the emulator: {}",
        peak.unwrap_or("unknown").trim()
    );
    emulator.kill()?;
    emulator.wait()?;
    run
}

async fn run(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let known = local_emulator::Credentials::default();
    let credentials = Credentials::new(known.access_key_id, known.secret_access_key, None, None, "bench");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .endpoint_url(url)
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .credentials_provider(credentials)
        .force_path_style(true);
    let s3 = Client::from_conf(config.build());
    s3.create_bucket().bucket("bucket").send().await?;
    let since = Instant::now();
    let puts = futures::stream::iter(0..PREFIXES * KEYS_PER_PREFIX).map(|n| {
        let key = format!("prefix-{:04}/key-{n:07}", n % PREFIXES);
        let put = s3
            .put_object()
            .bucket("bucket")
            .key(key)
            .body(ByteStream::from_static(b"x"));
        async move { put.send().await.map(drop) }
    });
    let mut puts = puts.buffer_unordered(PARALLEL);
    while let Some(put) = puts.next().await {
        put?;
    }
    println!("written in {:.1} s", since.elapsed().as_secs_f64());
    let since = Instant::now();
    let mut listed = 0;
    for prefix in 0..PREFIXES {
        let page = s3
            .list_objects_v2()
            .bucket("bucket")
            .prefix(format!("prefix-{prefix:04}/"));
        listed += page.send().await?.contents().len();
    }
    assert_eq!(listed, PREFIXES * KEYS_PER_PREFIX);
    println!("{listed} listed by prefix in {:.1} s", since.elapsed().as_secs_f64());
    Ok(())
}
