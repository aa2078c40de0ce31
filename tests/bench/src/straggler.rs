//! One of some sixty tasks stands still (SIGSTOP), beside the same query undisturbed: how much longer the query takes, and what its copy cost.

use clap::Args;
use mayfly_end_to_end::client::{Answer, Client};
use mayfly_end_to_end::server::{Executors, Server, signal};
use mayfly_end_to_end::{oracle, tpch};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};

/// About sixty tasks of 16 MiB at scale 10.
const SQL: &str = "SELECT l_returnflag, l_linestatus, count(*), sum(l_quantity), sum(l_extendedprice), sum(l_discount), max(l_shipmode), \
                   max(l_shipinstruct), max(l_shipdate), max(l_commitdate), max(l_receiptdate), sum(l_suppkey), sum(l_partkey) \
                   FROM lineitem GROUP BY 1, 2";

/// The slot of the one that stands still is missing to the others: of four it is not the machine's last.
const SLOTS: &str = "4";

#[derive(Args)]
pub struct Settings {
    #[arg(long, default_value_t = 10.0)]
    scale: f64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub async fn run(settings: &Settings) {
    let files = tpch::files(settings.scale, (settings.scale.ceil() as i32).max(2));
    let mount = format!("tpch={}", files.display());
    let server = Server::start_with(Executors::Itself, &["--mount", &mount, "--concurrency", SLOTS]);
    let client = Client::new(&server.url, "default").with("target_task_bytes", "16MiB");
    let sql = "CREATE EXTERNAL TABLE lineitem STORED AS PARQUET LOCATION 's3://tpch/lineitem/'";
    client.query(sql).await.expect("created");
    let expected = oracle::answer(&oracle::context(&files, 2).await, SQL).await;
    let (mut clean, mut stopped) = (Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        let (answer, wall) = timed(&client).await;
        assert_eq!(answer.table.difference(&expected), None);
        clean.push(wall);
        let ((answer, wall), pid) = tokio::join!(timed(&client), stop_one(&client, &server));
        // It goes on, and finds that it has lost.
        signal(pid, Signal::SIGCONT);
        assert_eq!(answer.table.difference(&expected), None);
        stopped.push(wall);
        let info = client
            .get_json(&format!("{}/v1/query/{}", server.url, answer.query_id))
            .await;
        println!(
            "{} tasks, {} copies, {} of them won",
            sum(&info, "tasks"),
            sum(&info, "copies"),
            sum(&info, "copies_won")
        );
    }
    let (clean, stopped) = (median(clean), median(stopped));
    println!(
        "clean {clean:.2} s, one stopped {stopped:.2} s: {:.2} x",
        stopped / clean
    );
}

async fn timed(client: &Client) -> (Answer, Duration) {
    let start = Instant::now();
    let answer = client.query(SQL).await.expect("answered");
    (answer, start.elapsed())
}

/// Stops the first executor that is seen at work, a second after the query's begin.
async fn stop_one(client: &Client, server: &Server) -> u32 {
    tokio::time::sleep(Duration::from_secs(1)).await;
    loop {
        let answer = client
            .get_json(&format!("{}/_emulator/environments", server.lambda))
            .await;
        let environments = answer.as_array().or_else(|| answer["environments"].as_array());
        let mut busy = environments.into_iter().flatten().filter(|one| one["state"] == "busy");
        if let Some(pid) = busy.find_map(|one| u32::try_from(one["pid"].as_u64()?).ok()) {
            signal(pid, Signal::SIGSTOP);
            return pid;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn sum(info: &Value, field: &str) -> u64 {
    let stages = info["stages"].as_array().expect("stages");
    stages.iter().filter_map(|stage| stage[field].as_u64()).sum()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}
