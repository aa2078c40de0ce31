//! Benchmarks that print our figure and the peer's from the same run. Measures and prints; asserts only that answers are equal, and
//! that what is called distributed is.

mod bounds;
mod faults;
mod files;
mod latency;
mod memory;
mod report;
mod scheduler;
mod shape;
mod siege;
mod skew;
mod straggler;
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
    /// Waiting times of small things, and the server's memory during a large one.
    Latency,
    /// Planning a table of very many files.
    Files(files::Settings),
    /// A join on a skewed key beside one on a uniform key.
    Skew(skew::Settings),
    /// The 22 TPC-H queries while executors are killed or S3 fails, beside the same without faults.
    Faults(faults::Settings),
    /// A join whose build side is larger than an executor's memory.
    Memory(memory::Settings),
    /// One of some sixty tasks stands still.
    Straggler(straggler::Settings),
    /// Fifty statements at once that would take the server's memory, or its planning for good.
    Bounds(bounds::Settings),
    /// Every hostile statement, file, flood, fault and clock that we know, mixed with a thousand good queries.
    Siege(siege::Settings),
    /// The scheduler alone.
    Scheduler,
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
    match Arguments::parse().bench {
        Bench::Tpch(settings) => tpch::run(&settings).await,
        Bench::Latency => latency::run().await,
        Bench::Files(settings) => files::run(&settings).await,
        Bench::Skew(settings) => skew::run(&settings).await,
        Bench::Faults(settings) => faults::run(&settings).await,
        Bench::Memory(settings) => memory::run(&settings).await,
        Bench::Straggler(settings) => straggler::run(&settings).await,
        Bench::Bounds(settings) => bounds::run(&settings).await,
        Bench::Siege(settings) => siege::run(&settings).await,
        Bench::Scheduler => scheduler::run(),
    }
}
