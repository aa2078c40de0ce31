//! The 22 TPC-H queries: alternating rounds of Mayfly over HTTP and DataFusion in process, on the same files, two threads each.

use crate::report::{self, Detail, Reading, Row};
use crate::{Mode, shape, usage};
use clap::Args;
use datafusion::prelude::SessionContext;
use mayfly_end_to_end::client::{Answer, Client};
use mayfly_end_to_end::server::{Executors, Server};
use mayfly_end_to_end::table::Table;
use mayfly_end_to_end::{oracle, tpch};
use std::time::{Duration, Instant};

/// Threads for the peer, vCPUs for us.
const CORES: usize = 2;

#[derive(Args)]
pub struct Settings {
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    #[arg(long, value_enum, default_value_t = Mode::Default)]
    mode: Mode,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Session properties on top of the mode's, e.g. `target_partitions=3`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    properties: Vec<String>,
    /// Only these queries.
    #[arg(long, value_delimiter = ',')]
    queries: Vec<u32>,
    /// Passed on to `mayfly serve`, e.g. `--concurrency=2`.
    #[arg(last = true)]
    serve: Vec<String>,
}

pub async fn run(settings: &Settings) {
    let files = tpch::files(settings.scale, (settings.scale.ceil() as i32).max(2));
    let mount = format!("tpch={}", files.display());
    let mut arguments = vec!["--mount", &mount];
    arguments.extend(settings.serve.iter().map(String::as_str));
    let server = Server::start_with(Executors::Itself, &arguments);
    let client = client(&server, settings).await;
    let numbers = if settings.queries.is_empty() {
        (1..=22).collect()
    } else {
        settings.queries.clone()
    };
    let mut rows: Vec<Row> = numbers
        .iter()
        .map(|number| Row {
            number: *number,
            ..Row::default()
        })
        .collect();
    for round in 0..settings.rounds {
        for row in &mut rows {
            let sql = tpch::query(row.number);
            if settings.mode == Mode::Distributed && round == 0 {
                shape::check(&client, row.number, &sql, &files).await;
            }
            let context = oracle::context(&files, CORES).await;
            let expected = peer(row, &context, &sql).await;
            let answer = ours(row, &server, &client, &sql).await;
            let difference = answer.table.difference(&expected);
            assert_eq!(difference, None, "q{}: the answers differ", row.number);
        }
        eprintln!("round {} of {} done", round + 1, settings.rounds);
    }
    println!(
        "TPC-H scale {}, {:?} mode, {} rounds, medians",
        settings.scale, settings.mode, settings.rounds
    );
    report::print(&rows);
}

async fn client(server: &Server, settings: &Settings) -> Client {
    let mut client = Client::new(&server.url, "tpch");
    client.query("CREATE SCHEMA tpch").await.expect("created");
    for table in tpch::TABLES {
        let sql = format!("CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION 's3://tpch/{table}/'");
        client.query(&sql).await.expect("created");
    }
    if settings.mode == Mode::Distributed {
        client = client.with("target_task_bytes", "64MiB");
    }
    let pairs = settings
        .properties
        .iter()
        .map(|text| text.split_once('=').expect("KEY=VALUE"));
    pairs.fold(client, |client, (key, value)| client.with(key, value))
}

async fn peer(row: &mut Row, context: &SessionContext, sql: &str) -> Table {
    let (start, cpu) = (Instant::now(), usage::own());
    let table = oracle::answer(context, sql).await;
    row.peer.push(Reading {
        wall: start.elapsed(),
        cpu: usage::own().saturating_sub(cpu),
    });
    table
}

async fn ours(row: &mut Row, server: &Server, client: &Client, sql: &str) -> Answer {
    let (start, before) = (Instant::now(), usage::of_server(server.pid()));
    let answer = client
        .query(sql)
        .await
        .unwrap_or_else(|error| panic!("q{}: {error:?}", row.number));
    let wall = start.elapsed();
    let used = usage::of_server(server.pid()) - before;
    row.ours.push(Reading { wall, cpu: used.ours() });
    let figure = |name: &str| answer.stats["mayfly"][name].as_u64().unwrap_or_default();
    let address = format!("{}/v1/query/{}", server.url, answer.query_id);
    let journal = &client.get_json(&address).await["journal"];
    row.detail = Detail {
        emulator: used.emulator,
        tasks: figure("invocations"),
        gets: figure("s3Get"),
        puts: figure("s3Put"),
        read_bytes: figure("s3BytesRead"),
        shuffled_bytes: figure("s3BytesWritten"),
        cost_usd: answer.stats["mayfly"]["costUsd"].as_f64().unwrap_or_default(),
        records: journal["records"].as_u64().expect("a number"),
        journal: Duration::from_secs_f64(journal["durationMs"].as_f64().expect("a number") / 1000.0),
    };
    answer
}
