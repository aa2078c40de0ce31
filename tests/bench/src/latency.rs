//! What a user waits for, and what the server holds meanwhile: constants, a small table, a large result, an executor's start.

use crate::usage::resident_mb;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server, binary};
use mayfly_end_to_end::tpch;
use mayfly_protocol::env;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 200;
const STARTS: usize = 20;

/// Columns that a result of ten million rows has at least twice over at scale 1.
const LARGE: &str = "SELECT l_orderkey, l_partkey, l_quantity FROM lineitem UNION ALL SELECT l_orderkey, l_suppkey, l_tax FROM lineitem";

pub async fn run() {
    println!("executor, spawn to first next: p50 {:.1} ms", millis(executor_start()));
    let files = tpch::files(1.0, 2);
    let server = Server::start_with(Executors::Itself, &["--mount", &format!("tpch={}", files.display())]);
    let client = Client::new(&server.url, "tpch");
    client.query("CREATE SCHEMA tpch").await.expect("created");
    for table in tpch::TABLES {
        let sql = format!("CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION 's3://tpch/{table}/'");
        client.query(&sql).await.expect("created");
    }
    for (name, sql) in [
        ("SELECT 1", "SELECT 1"),
        (
            "one warm invocation",
            "SELECT n_regionkey, count(*), max(n_name) FROM nation GROUP BY n_regionkey",
        ),
    ] {
        println!("{name}: p50 {:.1} ms", millis(median(&client, sql).await));
    }
    let before = resident_mb(server.pid());
    let (rows, most) = large_result(&client, &server).await;
    println!("{rows} rows fetched: server and local cloud {before} MB before, {most} MB at most");
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

async fn median(client: &Client, sql: &str) -> Duration {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        client.query(sql).await.expect("answered");
        times.push(start.elapsed());
    }
    times.sort();
    times[ROUNDS / 2]
}

/// Rows that arrived, and the most memory that the server's process had meanwhile.
async fn large_result(client: &Client, server: &Server) -> (u64, u64) {
    let (mut rows, mut most) = (0, 0);
    let first = client.submit(LARGE).await;
    let last = client
        .follow(first, |page| {
            rows += page["data"].as_array().map_or(0, Vec::len) as u64;
            most = most.max(resident_mb(server.pid()));
        })
        .await;
    assert!(last["error"].is_null(), "{}", last["error"]);
    (rows, most)
}

/// From spawn to the first request for work, as Lambda's runtime sees it.
fn executor_start() -> Duration {
    let runtime = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = runtime.local_addr().expect("an address").to_string();
    let mut times: Vec<Duration> = (0..STARTS).map(|_| one_start(&runtime, &address)).collect();
    times.sort();
    times[STARTS / 2]
}

fn one_start(runtime: &TcpListener, address: &str) -> Duration {
    let start = Instant::now();
    let mut executor = Command::new(binary().with_file_name("bootstrap"))
        .env(env::AWS_LAMBDA_RUNTIME_API, address)
        .env(env::AWS_LAMBDA_FUNCTION_NAME, "mayfly-executor-1769")
        .env(env::AWS_LAMBDA_FUNCTION_MEMORY_SIZE, "1769")
        .env(env::AWS_LAMBDA_FUNCTION_VERSION, "$LATEST")
        .env(env::AWS_REGION, "us-east-1")
        .env(env::AWS_ACCESS_KEY_ID, "local")
        .env(env::AWS_SECRET_ACCESS_KEY, "local")
        .env(env::S3_ENDPOINT, "http://127.0.0.1:9")
        .spawn()
        .expect("the executor starts");
    let (mut connection, _) = runtime.accept().expect("the executor asks for work");
    let mut first = [0; 16];
    let read = connection.read(&mut first).expect("a request");
    let elapsed = start.elapsed();
    assert!(first[..read].starts_with(b"GET "), "{:?}", &first[..read]);
    executor.kill().expect("it was running");
    executor.wait().expect("it was ours");
    elapsed
}
