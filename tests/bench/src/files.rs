//! A table of very many files: how long planning takes and what it holds.

use crate::usage::resident_mb;
use clap::Args;
use datafusion::prelude::SessionContext;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server};
use std::path::Path;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

#[derive(Args)]
pub struct Settings {
    #[arg(long, default_value_t = 100_000)]
    count: u32,
}

pub async fn run(settings: &Settings) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), settings.count).await;
    let mount = format!("many={}", folder.path().display());
    let server = Server::start_with(Executors::Itself, &["--mount", &mount]);
    let client = Client::new(&server.url, "default");
    println!(
        "{} files; server and local cloud {} MB at the start",
        settings.count,
        resident_mb(server.pid())
    );
    let created = timed(
        &client,
        "CREATE EXTERNAL TABLE many STORED AS PARQUET LOCATION 's3://many/'",
    )
    .await;
    println!(
        "CREATE EXTERNAL TABLE: {:.2} s, {} MB",
        created.as_secs_f64(),
        resident_mb(server.pid())
    );
    let explain = "EXPLAIN (TYPE DISTRIBUTED) SELECT day, count(*), sum(v) FROM many WHERE v > 3 GROUP BY day";
    let mut plans = Vec::new();
    for _ in 0..ROUNDS {
        plans.push(timed(&client, explain).await);
    }
    plans.sort();
    println!(
        "planned: median {:.2} s, {} MB",
        plans[ROUNDS / 2].as_secs_f64(),
        resident_mb(server.pid())
    );
    let one = timed(&client, "SELECT count(*), sum(v) FROM many WHERE day = 7").await;
    println!(
        "one day of a hundred, read: {:.2} s, {} MB",
        one.as_secs_f64(),
        resident_mb(server.pid())
    );
}

async fn timed(client: &Client, sql: &str) -> Duration {
    let start = Instant::now();
    client
        .query(sql)
        .await
        .unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
    start.elapsed()
}

/// One small file, many times, in a hundred folders.
async fn write(folder: &Path, count: u32) {
    let first = folder.join("first.parquet");
    let sql = format!(
        "COPY (SELECT value AS v, value * 3 AS w FROM generate_series(1, 100)) TO '{}'",
        first.display()
    );
    let frame = SessionContext::new().sql(&sql).await.expect("a valid COPY");
    frame.collect().await.expect("written");
    for day in 0..100 {
        std::fs::create_dir(folder.join(format!("day={day}"))).expect("a folder");
    }
    for file in 0..count {
        let name = folder.join(format!("day={}/{file:06}.parquet", file % 100));
        std::fs::copy(&first, name).expect("a copy");
    }
    std::fs::remove_file(first).expect("removed");
}
