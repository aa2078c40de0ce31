//! Benchmarks that print our figure and the peer's from the same run. Measures and prints; asserts only that answers are equal.

mod report;
mod tpch;
mod usage;

use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(about = "Mayfly's figures beside its peers', from one run")]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// The 22 TPC-H queries over HTTP against in-process DataFusion on the same files.
    Tpch(tpch::Settings),
}

/// How Mayfly is asked to run a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// As a user would.
    Default,
    /// Split into many tasks: `target_task_bytes` 64 MiB, executors of one vCPU.
    Distributed,
}

#[tokio::main]
async fn main() {
    let Bench::Tpch(settings) = Arguments::parse().bench;
    tpch::run(&settings).await;
}
