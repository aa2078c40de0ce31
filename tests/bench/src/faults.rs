//! The 22 TPC-H queries on a bad day, each beside the same query on a good one: whether the rows are right, and what the day cost.

use clap::{Args, ValueEnum};
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server};
use mayfly_end_to_end::table::Table;
use mayfly_end_to_end::{oracle, tpch};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Of an invocation: 1 - (1 - p)^4 = 0.25, one draw for each of four moments.
const KILLED_AT_A_MOMENT: f64 = 0.0694;

/// Of each table: a task reads whole row groups, and small tables have few.
const FILES: i32 = 10;

#[derive(Args)]
pub struct Settings {
    #[arg(long, value_enum)]
    kind: Kind,
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// As many days as seeds.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Only these queries.
    #[arg(long, value_delimiter = ',')]
    queries: Vec<u32>,
    /// Small enough for many tasks a query; the report says how many the smallest had.
    #[arg(long, default_value = "256KiB")]
    target_task_bytes: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Every invocation is killed with probability 0.25, at one of four moments.
    Executors,
    /// 10 % 503, 5 % 500, 1 % truncated everywhere; 0.1 % flipped bits under shuffle, journal and results.
    S3,
}

impl Kind {
    fn rules(self, seed: u64) -> Value {
        let rule = |fault: Value, probability: f64, target: &str| json!({"fault": fault, "probability": probability, "target": target});
        let kill = |moment: Value| rule(json!({"kill": {"moment": moment}}), KILLED_AT_A_MOMENT, "");
        match self {
            Kind::Executors => json!({"seed": seed, "lambda": [
                kill(json!("event_delivered")),
                kill(json!({"after_ms": 5})),
                kill(json!({"after_ms": 40})),
                kill(json!("before_response")),
            ]}),
            Kind::S3 => json!({"seed": seed, "s3": [
                rule(json!("slow_down"), 0.10, ""),
                rule(json!("internal_error"), 0.05, ""),
                rule(json!("truncate"), 0.01, ""),
                rule(json!("flip_bit"), 0.001, "mayfly/x/"),
                rule(json!("flip_bit"), 0.001, "mayfly/j/"),
            ]}),
        }
    }
}

/// What happened over all queries of a seed.
#[derive(Default)]
struct Day {
    right: usize,
    wrong: Vec<String>,
    clean: Duration,
    faulty: Duration,
    tasks_min: u64,
}

pub async fn run(settings: &Settings) {
    let files = tpch::files(settings.scale, FILES);
    let mount = format!("tpch={}", files.display());
    let server = Server::start_with(Executors::Itself, &["--mount", &mount]);
    let client = client(&server, settings).await;
    let context = oracle::context(&files, 2).await;
    let numbers = match settings.queries.is_empty() {
        true => (1..=22).collect(),
        false => settings.queries.clone(),
    };
    for seed in 1..=settings.seeds {
        let mut day = Day {
            tasks_min: u64::MAX,
            ..Day::default()
        };
        for number in &numbers {
            let sql = tpch::query(*number);
            let expected = oracle::answer(&context, &sql).await;
            set(&client, &server, &json!({})).await;
            let wall = ask(&client, &sql, &expected, *number, &mut day, true).await;
            day.clean += wall;
            set(
                &client,
                &server,
                &settings.kind.rules(seed * 1_000 + u64::from(*number)),
            )
            .await;
            let wall = ask(&client, &sql, &expected, *number, &mut day, false).await;
            day.faulty += wall;
        }
        set(&client, &server, &json!({})).await;
        day.print(seed, numbers.len(), larger(&client, &server).await);
    }
}

async fn client(server: &Server, settings: &Settings) -> Client {
    let client = Client::new(&server.url, "tpch");
    client.query("CREATE SCHEMA tpch").await.expect("created");
    for table in tpch::TABLES {
        let sql = format!("CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION 's3://tpch/{table}/'");
        client.query(&sql).await.expect("created");
    }
    client.with("target_task_bytes", &settings.target_task_bytes)
}

async fn set(client: &Client, server: &Server, rules: &Value) {
    client
        .put_json(&format!("{}/_emulator/faults", server.lambda), rules)
        .await;
}

async fn ask(client: &Client, sql: &str, expected: &Table, number: u32, day: &mut Day, clean: bool) -> Duration {
    let start = Instant::now();
    let answer = client.query(sql).await;
    let wall = start.elapsed();
    let fault = match &answer {
        Ok(answer) => answer.table.difference(expected),
        Err(failure) => Some(format!("{failure:?}")),
    };
    match fault {
        Some(fault) => day.wrong.push(format!(
            "q{number:02} {}: {fault}",
            if clean { "clean" } else { "faulty" }
        )),
        None if !clean => day.right += 1,
        None => {}
    }
    if let (Ok(answer), true) = (answer, clean) {
        let tasks = answer.stats["mayfly"]["invocations"].as_u64().unwrap_or_default();
        day.tasks_min = day.tasks_min.min(tasks);
    }
    wall
}

/// Invocations so far of functions larger than the smallest: only memory or time that ran out leads there.
async fn larger(client: &Client, server: &Server) -> u64 {
    let counts = client.get_json(&format!("{}/_emulator/counts", server.lambda)).await;
    let functions = counts["lambda"]["functions"].as_object().expect("functions by name");
    let larger = functions.iter().filter(|(name, _)| !name.ends_with("-1769"));
    larger
        .filter_map(|(_, function)| function["invocations"].as_u64())
        .sum()
}

impl Day {
    fn print(&self, seed: u64, queries: usize, larger: u64) {
        self.wrong.iter().for_each(|wrong| println!("{wrong}"));
        println!(
            "seed {seed}: {}/{queries} right, at least {} invocations a query, clean {:.1} s, faulty {:.1} s: {:.2} x, {larger} invocations of larger functions",
            self.right,
            self.tasks_min,
            self.clean.as_secs_f64(),
            self.faulty.as_secs_f64(),
            self.faulty.as_secs_f64() / self.clean.as_secs_f64(),
        );
    }
}
