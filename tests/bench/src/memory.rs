//! A hash join whose build side is many times what an executor of 1,769 MB has, in one task: whether it ends, with the right rows, and how.

use clap::Args;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server};
use mayfly_end_to_end::{oracle, tpch};
use serde_json::Value;
use std::time::Instant;

/// All columns of the build side are wanted, so that all of them are held; at scale 10 they take about 10 GB.
const JOIN: &str = "SELECT count(*), max(a.l_comment), max(a.l_shipinstruct), max(a.l_shipmode), sum(a.l_quantity), sum(a.l_extendedprice), \
    sum(a.l_discount), sum(a.l_tax), max(a.l_shipdate), max(a.l_commitdate), max(a.l_receiptdate), max(a.l_returnflag), \
    max(a.l_linestatus), max(a.l_suppkey), max(a.l_partkey), max(b.l_comment) \
    FROM lineitem a JOIN lineitem b ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber";

#[derive(Args)]
pub struct Settings {
    #[arg(long, default_value_t = 10.0)]
    scale: f64,
    /// Memory of the function that runs first attempts.
    #[arg(long, default_value = "1769")]
    memory: String,
}

pub async fn run(settings: &Settings) {
    let files = tpch::files(settings.scale, (settings.scale.ceil() as i32).max(2));
    let mount = format!("tpch={}", files.display());
    let arguments = ["--mount", &mount, "--memory", &settings.memory, "--concurrency", "1"];
    let server = Server::start_with(Executors::Itself, &arguments);
    let client = Client::new(&server.url, "default")
        .with("target_task_bytes", "500GB")
        .with("target_partitions", 1)
        .with("max_run_time", "15m");
    let sql = "CREATE EXTERNAL TABLE lineitem STORED AS PARQUET LOCATION 's3://tpch/lineitem/'";
    client.query(sql).await.expect("created");
    let start = Instant::now();
    let answer = client.query(JOIN).await;
    let wall = start.elapsed();
    match answer {
        Err(failure) => println!(
            "failed after {:.1} s: {}: {}",
            wall.as_secs_f64(),
            failure.name,
            failure.message
        ),
        Ok(answer) => {
            let context = oracle::context(&files, 2).await;
            let expected = oracle::answer(&context, JOIN).await;
            let verdict = answer
                .table
                .difference(&expected)
                .map_or("right".to_owned(), |why| format!("WRONG: {why}"));
            println!("{verdict} after {:.1} s", wall.as_secs_f64());
            let info = client
                .get_json(&format!("{}/v1/query/{}", server.url, answer.query_id))
                .await;
            print_stages(&info);
        }
    }
    let counts = client.get_json(&format!("{}/_emulator/counts", server.lambda)).await;
    let functions = counts["lambda"]["functions"].as_object().expect("functions by name");
    for (name, function) in functions {
        println!("{name}: {} invocations", function["invocations"]);
    }
}

fn print_stages(info: &Value) {
    for stage in info["stages"].as_array().expect("stages") {
        println!(
            "stage {}: {} attempts failed, {} bytes spilled",
            stage["stage"], stage["attempts_failed"], stage["spilled_bytes"]
        );
    }
}
