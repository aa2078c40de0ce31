//! Fifty statements at once that would each take a server's memory, or its planning for good: what the server and its planners hold
//! meanwhile, how long others wait beside them, and whether all is as before when they have ended. Every second one is canceled.

use crate::usage::{of_server, resident_mb};
use clap::Args;
use mayfly_end_to_end::bombs;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server, descendants};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two looks at the server's memory.
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// From a statement to its cancel.
const CANCEL_AFTER: Duration = Duration::from_secs(2);
/// How long idling is watched at the end.
const IDLE: Duration = Duration::from_secs(5);
/// More than there are turns for planning at once.
const AFTERWARDS: usize = 16;

#[derive(Args)]
pub struct Settings {
    #[arg(long, default_value_t = 50)]
    statements: usize,
    /// Of each of the fifty.
    #[arg(long, default_value = "60s")]
    max_run_time: String,
}

pub async fn run(settings: &Settings) {
    let server = Server::start_with(Executors::Itself, &["--concurrency", "2"]);
    let client = Client::new(&server.url, "default");
    let alone = one(&client).await;
    println!("SELECT 1 alone: {:.1} ms", alone.as_secs_f64() * 1e3);

    let ended = Arc::new(AtomicBool::new(false));
    let watching = tokio::spawn(watch(server.pid(), ended.clone()));
    let beside = tokio::spawn(ask_beside(client.clone(), ended.clone()));
    let start = Instant::now();
    let all = statements(settings.statements);
    let hostile = client.clone().with("max_run_time", &settings.max_run_time);
    let running = all.into_iter().enumerate().map(|(at, sql)| {
        let client = hostile.clone();
        tokio::spawn(async move { outcome(&client, &sql, at % 2 == 1).await })
    });
    for running in running.collect::<Vec<_>>() {
        println!("{}", running.await.expect("a client does not panic"));
    }
    println!("all have ended after {:.1} s", start.elapsed().as_secs_f64());
    ended.store(true, Ordering::Relaxed);
    let (server_mb, planners_mb) = watching.await.expect("it only looks");
    println!("most memory: server {server_mb} MB, its planners {planners_mb} MB");
    let (count, most) = beside.await.expect("it only asks");
    println!(
        "SELECT 1 beside them: {count} times, at most {:.0} ms",
        most.as_secs_f64() * 1e3
    );

    let after = (0..AFTERWARDS).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { one(&client).await })
    });
    let mut most = Duration::ZERO;
    for after in after.collect::<Vec<_>>() {
        most = most.max(after.await.expect("answered"));
    }
    println!(
        "{AFTERWARDS} times SELECT 1 at once afterwards: at most {:.0} ms",
        most.as_secs_f64() * 1e3
    );
    let before = of_server(server.pid());
    tokio::time::sleep(IDLE).await;
    let used = of_server(server.pid()) - before;
    println!("CPU of {IDLE:?} idle afterwards: {:.2} s", used.ours().as_secs_f64());
}

async fn one(client: &Client) -> Duration {
    let start = Instant::now();
    client.query("SELECT 1").await.expect("answered");
    start.elapsed()
}

async fn ask_beside(client: Client, ended: Arc<AtomicBool>) -> (usize, Duration) {
    let (mut count, mut most) = (0, Duration::ZERO);
    while !ended.load(Ordering::Relaxed) {
        most = most.max(one(&client).await);
        count += 1;
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    (count, most)
}

/// The most that the server held, and its planners together.
async fn watch(server: u32, ended: Arc<AtomicBool>) -> (u64, u64) {
    let (mut server_mb, mut planners_mb) = (0, 0);
    while !ended.load(Ordering::Relaxed) {
        server_mb = server_mb.max(resident_mb(server));
        let planners = descendants(server).into_iter().filter(|pid| is_planner(*pid));
        planners_mb = planners_mb.max(planners.map(own_mb).sum());
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    (server_mb, planners_mb)
}

fn is_planner(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "mayfly-planner")
}

/// Memory that is a process's alone: all share the program's text.
fn own_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024 / 1_000_000
}

async fn outcome(client: &Client, sql: &str, is_canceled: bool) -> String {
    let start = Instant::now();
    let mut first = client.submit(sql).await;
    if is_canceled {
        let poll = first["nextUri"].as_str().map(str::to_owned);
        if let Some(poll) = poll {
            first = client.get_json(&poll).await;
        }
        tokio::time::sleep(CANCEL_AFTER).await;
        if first["nextUri"].is_string() {
            client.cancel(&first).await;
        }
    }
    let last = client.follow(first, |_| {}).await;
    let how = last["error"]["errorName"].as_str().unwrap_or("rows");
    let shown: String = sql.chars().take(70).collect();
    format!("{:6.1} s  {how:32} {shown}", start.elapsed().as_secs_f64())
}

/// So many, of all kinds in turn.
pub fn statements(count: usize) -> Vec<String> {
    let kinds = bombs::all().into_iter().map(|bomb| bomb.sql);
    kinds.collect::<Vec<_>>().into_iter().cycle().take(count).collect()
}
