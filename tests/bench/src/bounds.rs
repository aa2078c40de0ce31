//! Fifty statements at once that would each take a server's memory, or its planning for good: what the server and its planners hold
//! meanwhile, how long others wait beside them, and whether all is as before when they have ended. Every second one is canceled.

use crate::usage::{of_server, resident_mb};
use clap::Args;
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

fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

/// So many, of all kinds in turn.
pub fn statements(count: usize) -> Vec<String> {
    let thousand: Vec<String> = (0..1000).map(|at| format!("({at})")).collect();
    let thousand = thousand.join(", ");
    let crossed = format!("SELECT * FROM (VALUES {thousand}) a(x), (VALUES {thousand}) b(y), (VALUES {thousand}) c(z)");
    let twice = |level: usize| {
        format!(
            "c{} AS (SELECT a.x FROM c{level} a JOIN c{level} b ON a.x = b.x)",
            level + 1
        )
    };
    let ctes: Vec<String> = (0..14).map(twice).collect();
    let columns: Vec<String> = (0..20).map(|at| format!("x + {at}")).collect();
    let joins: Vec<String> = (0..120)
        .map(|at| format!("JOIN (VALUES (1)) t{at}(k{at}) ON k = k{at}"))
        .collect();
    let kinds = [
        "SELECT repeat('x', 1000000000)".to_owned(),
        "SELECT repeat('x', 2000000000)".to_owned(),
        "SELECT lpad('x', 2000000000, 'y')".to_owned(),
        "SELECT cardinality(array_repeat(1, 1000000000))".to_owned(),
        "SELECT cardinality(flatten(array_repeat(array_repeat(1, 100000), 10000)))".to_owned(),
        "SELECT cardinality(array_resize([1], 1000000000, 1))".to_owned(),
        "SELECT length(replace(repeat('a', 100000), 'a', repeat('b', 100000)))".to_owned(),
        "SELECT length(regexp_replace(repeat('a', 100000), 'a', repeat('b', 100000), 'g'))".to_owned(),
        "SELECT cardinality(generate_series(1, 1000000000))".to_owned(),
        "SELECT count(*) FROM (SELECT unnest(range(1, 300000000)))".to_owned(),
        "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))".to_owned(),
        crossed.clone(),
        format!("{crossed} ORDER BY 1, 2, 3"),
        format!("SELECT {} FROM (VALUES (1)) t(x)", nested("coalesce(", "x", ", 1)", 60)),
        format!("SELECT {} FROM (VALUES (1)) t(x)", nested("nullif(", "x", ", 2)", 60)),
        format!(
            "SELECT {} FROM (VALUES (1)) t(x)",
            nested("coalesce(nullif(", "x", ", 2), 3)", 8)
        ),
        format!("SELECT {}", nested("(SELECT ", "1", ")", 30)),
        format!("SELECT {}", nested("1 IN (SELECT ", "1", ")", 16)),
        format!(
            "WITH c0 AS (SELECT 1 AS x), {} SELECT count(*) FROM c14",
            ctes.join(", ")
        ),
        format!(
            "SELECT count(*) FROM (VALUES (1)) t(x) GROUP BY CUBE ({})",
            columns.join(", ")
        ),
        format!("SELECT count(*) FROM (VALUES (1)) t(k) {}", joins.join(" ")),
        "EXPLAIN SELECT lpad('x', 2000000000, 'y') || repeat('z', 1000000000)".to_owned(),
    ];
    kinds.iter().cycle().take(count).cloned().collect()
}
