//! A join on a key that a few values dominate, beside the same join on a uniform key.

use clap::Args;
use datafusion::prelude::SessionContext;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server};
use std::path::Path;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

/// Rows of the probe side at scale 1, and keys of the build side.
const ROWS: u64 = 6_000_000;
const KEYS: u64 = 1_500_000;

#[derive(Args)]
pub struct Settings {
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
}

pub async fn run(settings: &Settings) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), settings.scale).await;
    let mount = format!("skew={}", folder.path().display());
    let server = Server::start_with(Executors::Itself, &["--mount", &mount]);
    let client = Client::new(&server.url, "default").with("target_task_bytes", "16MiB");
    for table in ["build", "uniform", "zipf"] {
        let sql = format!("CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION 's3://skew/{table}/'");
        client.query(&sql).await.expect("created");
    }
    let (mut uniform, mut zipf) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        uniform.push(timed(&client, "uniform").await);
        zipf.push(timed(&client, "zipf").await);
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[ROUNDS / 2].as_secs_f64()
    };
    let (uniform, zipf) = (median(&mut uniform), median(&mut zipf));
    println!("uniform {uniform:.2} s, zipf {zipf:.2} s: {:.2} x", zipf / uniform);
    let explained = client
        .query(&format!("EXPLAIN ANALYZE {}", join("zipf")))
        .await
        .expect("explained");
    println!("{}", explained.table.rows[0][0].as_deref().unwrap_or_default());
}

fn join(probe: &str) -> String {
    format!("SELECT count(*), max(p.pad), max(b.name) FROM build b JOIN {probe} p ON b.k = p.k")
}

async fn timed(client: &Client, probe: &str) -> Duration {
    let start = Instant::now();
    client.query(&join(probe)).await.expect("joined");
    start.elapsed()
}

async fn write(folder: &Path, scale: f64) {
    let (rows, keys) = ((ROWS as f64 * scale) as u64, (KEYS as f64 * scale) as u64);
    let context = SessionContext::new();
    let pad = "md5(CAST(value AS VARCHAR)) AS pad";
    // Half of the rows have one of some ten keys: k ~ keys^u with u uniform in [0, 1).
    let zipf = format!("CAST(power(CAST({keys} AS DOUBLE), ((value * 7919) % 1000003) / 1000003.0) AS BIGINT)");
    let tables = [
        (
            "build",
            format!(
                "SELECT value AS k, concat('name ', CAST(value AS VARCHAR)) AS name FROM generate_series(1, {keys})"
            ),
        ),
        (
            "uniform",
            format!("SELECT 1 + (value * 7919) % {keys} AS k, {pad} FROM generate_series(1, {rows})"),
        ),
        (
            "zipf",
            format!("SELECT {zipf} AS k, {pad} FROM generate_series(1, {rows})"),
        ),
    ];
    for (table, sql) in tables {
        std::fs::create_dir(folder.join(table)).expect("a folder");
        let sql = format!("COPY ({sql}) TO '{}/'", folder.join(table).display());
        let frame = context
            .sql(&format!("{sql} STORED AS PARQUET"))
            .await
            .expect("a valid COPY");
        frame.collect().await.expect("written");
    }
}
