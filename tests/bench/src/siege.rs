//! One server under everything at once: statements that take memory or time without end, files that lie, floods of requests and connections,
//! guessed ids, foreign names, forged orders, executors that are killed, an S3 that fails, a Lambda out of reach, and a wall clock that jumps; and between them a thousand
//! good queries, each of which must be answered right. Prints what the server held meanwhile and what was left afterwards; ends with an
//! error if a good query was wrong, the server died, or something did not come back to where it was.

mod besiegers;
mod good;
mod toll;

use besiegers::Besiegers;
use clap::Args;
use good::Good;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::clock::Clock;
use mayfly_end_to_end::gate::Gate;
use mayfly_end_to_end::server::{Executors, Server};
use mayfly_end_to_end::tpch;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use toll::{Toll, watch};

/// Slots of the besieged server.
const CONCURRENCY: &str = "4";
const SCALE: f64 = 0.01;

#[derive(Args)]
pub struct Settings {
    /// Good queries.
    #[arg(long, default_value_t = 1_000)]
    good: usize,
    /// Of those, at once.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// The most that the server may hold.
    #[arg(long, default_value_t = 500)]
    memory_mb_max: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub async fn run(settings: &Settings) {
    let files = tpch::files(SCALE, 2);
    let hostile = besiegers::files();
    let mounts = [
        format!("tpch={}", files.display()),
        format!("hostile={}", hostile.path().display()),
    ];
    // The cloud is another process's: a fault of the server's is not mistaken for one of the emulator's, and the gate stands between them.
    let shared = ["--concurrency", CONCURRENCY];
    let cloud = Server::start_with(
        Executors::Itself,
        &[&shared[..], &["--mount", &mounts[0], "--mount", &mounts[1]]].concat(),
    );
    let gate = Gate::before(&cloud.lambda).await;
    let clock = Clock::new();
    let server = cloud.beside_in(&gate.url, &shared, &clock.environment());
    let client = Client::new(&server.url, "tpch");
    create_tables(&client).await;
    let good = Good::new(&files).await;
    good.warm_up(&client).await;

    let ended = Arc::new(AtomicBool::new(false));
    let before = Toll::of(&server, &cloud, &client).await;
    let watching = tokio::spawn(watch(server.pid(), ended.clone()));
    let besiegers = Besiegers::begin(&server, &cloud, gate, clock, settings.seed, ended.clone());
    let start = Instant::now();
    let verdict = good.ask(&client, settings.good, settings.clients).await;
    let took = start.elapsed();
    let deeds = besiegers.end(&ended).await;
    let held = watching.await.expect("it only looks");
    deeds.print();
    verdict.print(took);
    println!(
        "most memory: server {} MB, its planners {} MB, {} files open",
        held.server_mb, held.planners_mb, held.files
    );
    let after = Toll::settled(&server, &cloud, &client, &before).await;
    println!("before: {before}\nafter:  {after}");
    let faults = [
        (!verdict.is_right(), "a good query was not answered right"),
        (
            held.server_mb > settings.memory_mb_max,
            "the server held too much memory",
        ),
        (!after.is_alive, "the server is dead"),
        (
            !after.is_back_to(&before),
            "something did not come back to where it was",
        ),
    ];
    let faults: Vec<&str> = faults.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
    match faults.is_empty() {
        true => println!("the server stands"),
        false => panic!("{}", faults.join("; ")),
    }
}

async fn create_tables(client: &Client) {
    client.query("CREATE SCHEMA tpch").await.expect("created");
    for table in tpch::TABLES {
        let sql = format!("CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION 's3://tpch/{table}/'");
        client.query(&sql).await.expect("created");
    }
}
