//! The function that the tests run on the emulator: does what its event says. Built on AWS's own runtime, so that it is as real as any.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

static INVOCATIONS: AtomicU64 = AtomicU64::new(0);
static TICKS: AtomicU64 = AtomicU64::new(0);

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::var("TEST_INIT").as_deref() {
        Ok("exit") => std::process::exit(3),
        Ok("hang") => tokio::time::sleep(Duration::from_secs(3600)).await,
        _ => {}
    }
    println!("init wrote this");
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_millis(10));
            TICKS.fetch_add(1, Ordering::Relaxed);
        }
    });
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let invocation = INVOCATIONS.fetch_add(1, Ordering::Relaxed) + 1;
    let payload = &event.payload;
    if let Some(text) = payload["print"].as_str() {
        println!("{text}");
        eprintln!("{text} on stderr");
    }
    if payload["spawn"].as_bool() == Some(true) {
        std::process::Command::new("/bin/sleep").arg("3600").spawn()?;
    }
    if let Some(mib) = payload["allocate_mib"].as_u64() {
        // Written to, or it would not be resident.
        let memory = vec![1u8; (mib << 20) as usize];
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(memory);
    }
    if let Some(ms) = payload["sleep_ms"].as_u64() {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let spun_us = payload["spin_ms"].as_u64().map(spin);
    if let Some(code) = payload["exit"].as_i64() {
        std::process::exit(code as i32);
    }
    if let Some(text) = payload["fail"].as_str() {
        return Err(text.into());
    }
    if let Some(size) = payload["respond_bytes"].as_u64() {
        return Ok("x".repeat(size as usize).into());
    }
    let mut variables: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    variables.sort();
    Ok(json!({
        "pid": std::process::id(),
        "invocation": invocation,
        "ticks": TICKS.load(Ordering::Relaxed),
        "echo": payload["echo"],
        "spun_us": spun_us,
        "variables": variables,
        "folder": std::env::temp_dir(),
        "deadline_ms": event.context.deadline,
        "request_id": event.context.request_id,
        "arn": event.context.invoked_function_arn,
        "user": std::fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own))?,
    }))
}

/// Computes for so long by the clock; gives the CPU time that it got, by the kernel's count for this thread.
fn spin(ms: u64) -> u64 {
    let cpu_us = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel counts");
        let ns: u64 = text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("a number");
        ns / 1000
    };
    let (since, before) = (std::time::Instant::now(), cpu_us());
    while since.elapsed() < Duration::from_millis(ms) {
        std::hint::spin_loop();
    }
    cpu_us() - before
}
